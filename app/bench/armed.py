"""``python -m app.bench.armed PROCESS MODULE ARGUMENTS``: run a module of the product's with its kill points installed.

The points are wrapped before the module is loaded, so whoever imports such a function afterwards gets the wrapped one.
"""

from __future__ import annotations

import runpy
import sys

from app.bench.points import Switches, install
from app.stack.programs import Program
from config.settings import Settings, load_settings


def switches_of(settings: Settings) -> Switches:
    return Switches(settings.run_dir / "chaos")


def armed(process: str, program: Program) -> list[str]:
    """The command of this program with its kill points: ``-m MODULE`` becomes ``-m app.bench.armed PROCESS MODULE``."""
    arguments = list(program.arguments)
    place = arguments.index("-m") + 1
    return [*arguments[:place], "app.bench.armed", process, *arguments[place:]]


def main(arguments: list[str]) -> None:
    process, module, *rest = arguments
    install(process, switches_of(load_settings()))
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
