"""A file of balances becomes a snapshot of its own time, whole or not at all, and is compared by itself."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.intake import take as taking
from app.intake.context import Intake
from app.intake.watcher import Watcher
from app.reconcile.turns import Turns
from app.store.reconcile_tables import Reconciliation, Snapshot
from app.store.session import Store
from app.store.snapshots import Balance, load_balances
from config.reconciling import BalancesFile
from config.topology import DropFile, Source
from tests.factories import NOON, demo_topology
from tests.fakes import Books, Killed
from tests.shop import Shop, make_shop

COLUMNS = {"delimiter": ";", "columns": ["item", "storage", "quantity", "uom"]}
NAMED = BalancesFile(of="erp", level="storage", decimal=",", taken_at=r"STOCK(?P<at>[0-9]{14})\.csv")
CSV = DropFile("STOCK*.csv", "balances", "csv", COLUMNS, balances=NAMED)
LAYOUT = {"layout": [["item", 1, 8], ["quantity", 9, 10], ["uom", 19, 3]]}
FIXED = DropFile("BAL*.txt", "balances", "fixed_width", LAYOUT, balances=BalancesFile())
HEADER = "item;storage;quantity;uom\n"
NAME = "STOCK20260302053000.csv"
AT = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
"""05:30 in Detroit."""


@pytest.fixture
def shop(store: Store, tmp_path: Path) -> Shop:
    shop = make_shop(store, tmp_path, (CSV, FIXED))
    shop.folder = replace(shop.folder, source=replace(shop.folder.source, units={"STK": "EA"}))
    intake = Intake(store, lambda *_: None, lambda: NOON, zones={"P300": "America/Detroit"})
    shop.watcher = Watcher(intake, (shop.folder,), "watcher-1")
    return shop


def _snapshots(store: Store) -> list[Snapshot]:
    with store.reading() as session:
        return list(session.scalars(select(Snapshot).order_by(Snapshot.id)))


def _reason(shop: Shop, name: str = NAME) -> str:
    return (shop.folder.failed / f"{name}.error.txt").read_text()


def test_its_rows_are_balances_as_of_the_time_in_its_name_and_no_messages(shop: Shop) -> None:
    shop.drop(NAME, HEADER + "FRAME;ST;1.234,5;STK\nWHEEL;;3-;KG\n")
    shop.watcher.look()

    (snapshot,) = _snapshots(shop.store)
    assert (snapshot.system, snapshot.taken_at, snapshot.origin, snapshot.rows) == ("erp", AT, NAME, 2)
    with shop.store.reading() as session:
        assert load_balances(session, snapshot.id) == [
            Balance("P300", "FRAME", "ST", "", Decimal("1234.5"), "EA"),
            Balance("P300", "WHEEL", "", "", Decimal(-3), "KG"),
        ]
    assert (shop.messages(), shop.names("archive")) == ([], [NAME])


def test_a_fixed_width_file_is_of_the_time_when_it_was_written(shop: Shop) -> None:
    path = shop.drop("BAL1.txt", "FRAME         12.5PC \n")
    os.utime(path, (AT.timestamp(), AT.timestamp()))
    shop.watcher.look()

    (snapshot,) = _snapshots(shop.store)
    assert (snapshot.system, snapshot.taken_at, snapshot.rows) == ("legacy", AT, 1)


@pytest.mark.parametrize(
    ("name", "rows", "told"),
    [
        (NAME, "FRAME;ST;many;EA\nWHEEL;ST;1;EA\n", "nothing of it was taken. line 2: quantity must be a decimal"),
        (NAME, "FRAME;ST;1\n", "line 2"),
        (NAME, ";ST;1;EA\n", "line 2: item must have 1 to 80"),
        ("STOCK1.csv", "FRAME;ST;1;EA\n", "its name does not say when"),
        ("STOCK20261402053000.csv", "FRAME;ST;1;EA\n", "no time of the form"),
        ("STOCK20280302053000.csv", "FRAME;ST;1;EA\n", "which is still to come"),
    ],
)
def test_half_a_snapshot_is_none(shop: Shop, name: str, rows: str, told: str) -> None:
    shop.drop(name, HEADER + rows)
    shop.watcher.look()

    assert _snapshots(shop.store) == []
    assert told in _reason(shop, name)


def test_the_same_balances_of_another_time_are_another_snapshot_and_of_the_same_time_a_repeat(shop: Shop) -> None:
    for name in (NAME, NAME, "STOCK20260302060000.csv"):
        shop.drop(name, HEADER + "FRAME;ST;1;EA\n")
        shop.watcher.look()

    assert [one.taken_at.hour for one in _snapshots(shop.store)] == [10, 11]
    assert len([name for name in shop.names("archive") if name.endswith(".note.txt")]) == 1


def test_a_kill_while_it_is_kept_keeps_it_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    shop.drop(NAME, HEADER + "FRAME;ST;1;EA\n")
    for place in ("end_file", "tell_archived", "_move_to_archive"):
        with monkeypatch.context() as patch:
            patch.setattr(taking, place, killed)
            with pytest.raises(Killed):
                shop.watcher.look()
    shop.watcher.look()

    assert len(_snapshots(shop.store)) == 1
    assert shop.names("archive") == [NAME]


def test_it_is_compared_by_itself_at_its_own_level(shop: Shop) -> None:
    topology = demo_topology()
    source = Source("legacy", "ERP", ("P300",), "legacy_files", intake="drop", files=(CSV, FIXED))
    topology = replace(topology, sources={**topology.sources, "legacy": source})
    turns = Turns(shop.store, topology, lambda _code: Books(), lambda: NOON)
    assert turns.due() is None

    for name in (NAME, "STOCK20260302060000.csv"):
        shop.drop(name, HEADER + "FRAME;ST;1;EA\n")
    shop.watcher.look()

    for _ in range(2):
        assert turns.due() == ("compare", "erp")
        assert turns.compare() is not None
    assert turns.due() is None
    with shop.store.reading() as session:
        reports = session.scalars(select(Reconciliation).order_by(Reconciliation.id)).all()
    assert [(one.system, one.level, one.unexplained) for one in reports] == [("erp", "storage", 1)] * 2
