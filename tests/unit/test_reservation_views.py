"""Reservations in the console, and the queries that find them by index."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from app.access.roles import Role
from app.processes.facts import read_picture
from app.processes.rounds import expire_reservations
from app.projections.movements import Place
from app.projections.reservation_lists import ReservationFilter, kept_besides_needs, list_reservations
from app.projections.reservation_uses import StockUse, enter_uses
from app.projections.withdrawals import end_vain_withdrawals
from app.store.ledger_tables import ItemStock
from app.store.reservation_tables import Reservation
from app.store.session import Store
from tests.factories import NOON
from tests.process_calls import WHEEL, amount, installation
from tests.web import account_for, log_in

pytestmark = pytest.mark.slow


def test_the_console_shows_what_is_kept_for_whom_with_its_messages(sqlite_store: Store, tmp_path: Path) -> None:
    here = installation(sqlite_store, tmp_path)
    here.works = False
    here.stock(("20", "ST", "L<1>"))
    body = {"item": WHEEL, "quantity": amount("7.5"), "delivery_id": "D&1", "lot": "L<1>", "reason": "rush <b>"}
    made = here.call("reserve-inventory", body).json
    account_for(sqlite_store, Role.VIEWER)
    log_in(here.client, "viewer")

    listed = here.client.get("/reservations?plant=P100&state=open").text
    of_item = here.client.get(f"/inventory/P100/{WHEEL}").text
    none = here.client.get("/reservations?state=expired").text

    for page in (listed, of_item):
        assert made["reservation_id"] in page
        assert "D&amp;1" in page
        assert "L&lt;1&gt;" in page
        assert f'href="/messages/{made["message_id"]}"' in page
    assert "No reservation matches." in none
    assert "Open reservations" in here.client.get("/inventory").text


FEW, MANY = 5, 6_000


def _fill(store: Store) -> None:
    rows = [
        {
            "code": f"R{n}",
            "message_id": n,
            "source": "mes",
            "plant": "P100",
            "item": WHEEL if n % (MANY // FEW) == 0 else f"I{n % 50}",
            "uom": "EA",
            "quantity": 1,
            "used": 0,
            "order_id": f"O{n % 900}",
            "delivery_id": f"D{n}",
            "state": "open" if n % 10 == 0 else "released",
            "actor": "ada",
            "made_at": NOON,
        }
        for n in range(1, MANY)
    ]
    with store.writing() as session:
        session.connection().execute(insert(Reservation), rows)
    if not store.is_sqlite:
        with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE reservations"))


PLACE = Place("P100", WHEEL, "EA")
QUERIES: dict[str, Any] = {
    "what is free": lambda session: read_picture(session, PLACE, "O7", NOON),
    "what is kept of a page": lambda session: kept_besides_needs(session, [ItemStock(plant="P100", item=WHEEL)]),
    "what an issue uses": lambda session: enter_uses(session, [StockUse(9_000, 0, 0, PLACE, 1, NOON, "O7")], NOON),
    "what a shipment uses": lambda session: enter_uses(
        session, [StockUse(9_000, 0, 0, PLACE, 1, NOON, None, "D7", "R9")], NOON
    ),
    "what expires": lambda session: expire_reservations(session, NOON),
    "what is taken by nobody": lambda session: end_vain_withdrawals(session, 10),
    "the list of an item": lambda session: list_reservations(session, ReservationFilter("P100", WHEEL), 50),
    "the list of an order": lambda session: list_reservations(session, ReservationFilter("P100", order_id="O7"), 50),
}


@pytest.mark.slow
def test_no_query_walks_the_reservations(store: Store) -> None:
    _fill(store)
    walks: dict[str, list[str]] = {}

    for name, ask in QUERIES.items():
        statements: list[tuple[str, Any]] = []
        with store.writing() as session:
            event.listen(session.connection(), "before_cursor_execute", partial(_note, statements))
            ask(session)
        walks[name] = [line for one in statements for line in _walked(store, *one)]

    assert walks == {name: [] for name in QUERIES}


def _note(statements: list[tuple[str, Any]], *told: Any) -> None:
    statements.append((told[2], told[3]))


def _walked(store: Store, statement: str, parameters: Any) -> list[str]:
    if not statement.startswith("SELECT") or "WHERE" not in statement:  # the first by its key, where any is asked for
        return []
    explain = "EXPLAIN QUERY PLAN " if store.is_sqlite else "EXPLAIN (COSTS OFF) "
    with store.engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute(explain + statement, parameters)
        lines = [str(row[3] if store.is_sqlite else row[0]) for row in cursor.fetchall()]
        cursor.close()
    scans = [line for line in lines if "SCAN reservations" in line or "Seq Scan on reservations" in line]
    return [line for line in scans if "INDEX" not in line]
