"""``python -m app.bench.armed``: the nursery of the product's processes with every kill point installed.

The points are wrapped before the other modules are loaded, so whoever imports such a function afterwards gets the
wrapped one; a process passes those of its own name.
"""

from __future__ import annotations

from app.bench.points import Switches, install
from app.stack import nursery
from config.settings import Settings, load_settings

MODULE = "app.bench.armed"


def switches_of(settings: Settings) -> Switches:
    return Switches(settings.run_dir / "chaos")


def main() -> None:
    name = ""

    def install_all() -> None:
        install(lambda: name, switches_of(load_settings()))

    def when_born(order: nursery.Order) -> None:
        nonlocal name
        name = order.name

    nursery.main(install_all, when_born)


if __name__ == "__main__":
    main()
