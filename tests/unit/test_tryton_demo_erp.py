"""The demonstration's ERP: its catalogue holds together, and its files and process are what they should be."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from importlib import metadata
from pathlib import Path

import pytest

from app.demo import catalogue, erp, erp_processes


def database(path: Path, series: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE ir_configuration (series TEXT)")
        connection.execute("INSERT INTO ir_configuration VALUES (?)", [series])
        connection.commit()
    return path


def test_every_bill_and_every_stock_names_items_of_the_catalogue() -> None:
    items = {item.code for item in catalogue.ITEMS}

    named = {code for bill in catalogue.BILLS_OF_MATERIALS for code in (bill.item, *bill.components)}
    named |= {stock.item for stock in catalogue.OPENING_STOCK} | set(catalogue.MADE_AT)
    named |= {code for order in catalogue.PURCHASE_ORDERS for code, _ in order.lines}

    assert named == items


def test_everything_that_is_made_has_a_bill_of_materials_and_a_plant() -> None:
    assert {bill.item for bill in catalogue.BILLS_OF_MATERIALS} == set(catalogue.MADE_AT)
    assert set(catalogue.MADE_AT.values()) == set(catalogue.PLANTS)


def test_the_erp_listens_on_loopback_and_serves_no_files(tmp_path: Path) -> None:
    command, environment = erp.serve_command(tmp_path / "lineside.sqlite", 8300)

    assert command[command.index("--bind") + 1] == "127.0.0.1:8300"
    assert environment["TRYTOND_WEB__ROOT"] == ""
    assert environment["TRYTOND_DATABASE_NAMES"] == "lineside"


def test_an_erp_that_was_posted_to_is_never_replaced(tmp_path: Path) -> None:
    pytest.importorskip("trytond")
    series = ".".join(metadata.version("trytond").split(".")[:2])
    placed = database(tmp_path / "erp" / "lineside.sqlite", series)
    before = placed.read_bytes()

    assert erp.place_erp(tmp_path) == placed
    assert placed.read_bytes() == before


def test_an_erp_of_another_series_is_refused_with_the_mend(tmp_path: Path) -> None:
    pytest.importorskip("trytond")
    placed = database(tmp_path / "erp" / "lineside.sqlite", "6.0")

    with pytest.raises(erp_processes.ErpUnavailable, match="move the file away") as caught:
        erp.place_erp(tmp_path)

    assert str(placed) in str(caught.value)


def test_a_built_erp_is_used_again_without_a_build(tmp_path: Path) -> None:
    pytest.importorskip("trytond")
    built = tmp_path / "cache" / f"erp-{erp_processes.build_fingerprint()}.sqlite"
    database(built, "any")

    placed = erp.place_erp(tmp_path)

    assert placed.read_bytes() == built.read_bytes()
    assert placed.stat().st_mode & 0o077 == 0


def test_without_tryton_the_build_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erp_processes, "PACKAGES", ("no-such-package-anywhere",))

    with pytest.raises(erp_processes.ErpUnavailable, match="pip install"):
        erp.build_erp(tmp_path, lambda share, doing: None)
