"""Stock is to the last digit the sum of its movements, on both databases, in whatever portions they were entered."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import select

from app.projections.items import save_items
from app.projections.projector import project
from app.store.ledger_tables import ItemStock, Movement, Stock
from app.store.session import Store
from tests.factories import NOON, accept, incoming, know_items, pipeline, run_once
from tests.fakes import Books

POUNDS = Decimal("12.345")
IN_A_POUND = Decimal("0.45359237")


def test_an_amount_with_more_decimals_in_the_base_unit_than_it_came_with_is_kept_exactly(store: Store) -> None:
    with store.writing() as session:
        save_items(session, [{"code": "RESIN", "description": "Resin", "base_uom": "KG", "units": {}}], "erp", NOON)
    delta = {"value": str(POUNDS), "uom": "LB"}
    data = {"event_time": "2026-03-02T09:00:00Z", "item": "RESIN", "delta": delta, "reason": "found"}
    accept(store, *(incoming(f"a{number}", "inventory.adjusted.v1", data) for number in range(3)))
    run_once(pipeline(store, {"erp": Books()}))

    project(store, lambda: NOON, 30.0)

    with store.reading() as session:
        moved = list(session.scalars(select(Movement.quantity)))
        assert moved == [POUNDS * IN_A_POUND] * 3
        assert session.scalars(select(Stock.quantity)).all() == [sum(moved)]
        assert session.scalars(select(ItemStock.unrestricted)).all() == [sum(moved)]


def test_a_sum_of_the_largest_amounts_is_exact(store: Store) -> None:
    largest = Decimal("999999999999999999.123456789")
    know_items(store)
    data = {"event_time": "2026-03-02T09:00:00Z", "item": "WHEEL-10", "reason": "found"}
    data |= {"delta": {"value": str(largest), "uom": "EA"}}
    accept(store, *(incoming(f"a{number}", "inventory.adjusted.v1", data) for number in range(12)))
    run_once(pipeline(store, {"erp": Books()}))

    project(store, lambda: NOON, 30.0)

    with store.reading() as session:
        assert session.scalars(select(Stock.quantity)).all() == [Decimal("11999999999999999989.481481468")]
        assert session.scalars(select(ItemStock.unrestricted)).all() == [Decimal("11999999999999999989.481481468")]
