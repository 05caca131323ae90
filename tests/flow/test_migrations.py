"""The migrations make exactly the tables that the code expects, on both databases, and may be repeated."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import select

from app.projections.hold_lists import HoldFilter, list_holds
from app.projections.order_needs import orders_needing
from app.projections.projector import project
from app.store import migrations
from app.store.ledger_tables import Stock
from app.store.migrate import upgrade
from app.store.revision import current_revision, newest_revision
from app.store.session import Store
from app.store.tables import Base
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, run_once
from tests.fakes import Books

pytestmark = pytest.mark.slow

AT = "2026-03-02T08:00:00Z"
HELD = {"event_time": AT, "lot": "L1", "status": "blocked", "reason": "crack"}
RELEASED = {
    "event_time": AT,
    "order_id": "1000",
    "item": "BIKE-100",
    "quantity": {"value": "1", "uom": "EA"},
    "materials": [{"item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}}],
}


def test_migrations_and_tables_agree(store: Store) -> None:
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        differences = compare_metadata(context, Base.metadata)

    assert differences == []


def test_an_upgrade_may_be_repeated(store: Store) -> None:
    upgrade(store)

    assert current_revision(store) == newest_revision()


@pytest.mark.parametrize("_round", range(3))
def test_two_processes_may_upgrade_at_once(tmp_path: Path, _round: int) -> None:
    stores = [Store(f"sqlite:///{tmp_path}/new.db") for _ in range(4)]

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, stores))

    assert {current_revision(store) for store in stores} == {newest_revision()}
    for store in stores:
        store.dispose()


def test_what_was_posted_before_holds_were_kept_is_entered_by_the_migration(sqlite_store: Store) -> None:
    know_items(sqlite_store)
    released, held = (("r1", "production.order.released.v1", RELEASED), ("h1", "quality.held.v1", HELD))
    ids = accept(sqlite_store, incoming(*released), incoming(*held))
    run_once(pipeline(sqlite_store, {"erp": Books()}))
    _downgrade(sqlite_store, "0013")

    upgrade(sqlite_store)
    project(sqlite_store, lambda: NOON, 30.0)

    with sqlite_store.reading() as session:
        assert [hold.message_id for hold in list_holds(session, HoldFilter(is_open=True), 10)] == ids[1:]
        assert [need.quantity for need in orders_needing(session, "P100", "WHEEL-10", 10)] == [2]


@pytest.mark.parametrize("revision", ["0010", "0011", "0012", "0013", "0014", "0016", "0019", "0022"])
def test_down_and_up_again_the_picture_is_entered_as_it_was(store: Store, revision: str) -> None:
    know_items(store)
    accept(store, incoming("r1", "production.order.released.v1", RELEASED), completion(), move_event())
    for _ in range(2):  # the completion waits for the release
        run_once(pipeline(store, {"erp": Books()}))
    project(store, lambda: NOON, 30.0)
    before = _stock_of(store)

    _downgrade(store, revision)
    upgrade(store)
    project(store, lambda: NOON, 30.0)

    assert len(before) == 3
    assert _stock_of(store) == before
    test_migrations_and_tables_agree(store)


def _stock_of(store: Store) -> dict[tuple[str, str], Decimal]:
    with store.reading() as session:
        return {(row.item, row.storage): row.quantity for row in session.scalars(select(Stock))}


def _downgrade(store: Store, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(*migrations.__path__)))
    with store.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, revision)
