"""Goods that one own plant ships to another are on their way until a receipt there names their delivery or order."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from app.dead_letters.reversal import reverse
from app.projections.projector import rebuild
from app.store.ledger_tables import Stock
from app.store.logistics_tables import Shipment
from app.store.session import Store
from config.topology import Plant
from tests.factories import NOON, demo_topology, know_items, pipeline, run_once
from tests.facts import enter_all, facts_told, item_sums, on_way, post, received, shipped
from tests.fakes import Books

pytestmark = pytest.mark.slow

NINE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEN = "2026-03-02T10:00:00Z"
LOT = {"line": {"lot": "L1"}}


@pytest.fixture(autouse=True)
def _items(store: Store) -> None:
    know_items(store)


def arrived(message_id: str, value: str, code: str = "D1", **data: Any) -> Any:
    return received(message_id, value, None, **{"code": code, "kind": "delivery", "plant": "P200", "at": TEN} | data)


def test_what_has_left_and_not_come_is_on_its_way_to_the_plant_it_was_sent_to(store: Store) -> None:
    post(store, shipped("s1", "10"), shipped("s2", "5", "D2", ship_to="CUSTOMER-7"))
    at_first = on_way(store)

    post(store, arrived("g1", "4"))

    assert at_first == {"delivery:D1": ("P100", "P200", "10")}
    assert on_way(store) == {"delivery:D1": ("P100", "P200", "6")}
    assert item_sums(store, "in_transit") == {("P200", "WHEEL-10"): "6"}
    with store.reading() as session:
        stock = {row.plant: int(row.quantity) for row in session.execute(select(Stock)).scalars()}
    assert stock == {"P100": -15, "P200": 4}


def test_the_shipment_says_when_the_last_of_it_came(store: Store) -> None:
    post(store, shipped("s1", "10"), arrived("g1", "4"))
    with store.reading() as session:
        half = session.execute(select(Shipment.on_way, Shipment.arrived_at)).one()

    post(store, arrived("g2", "6", at="2026-03-02T11:00:00Z"))

    with store.reading() as session:
        whole = session.execute(select(Shipment.on_way, Shipment.arrived_at)).one()
    assert (tuple(half), tuple(whole)) == ((True, None), (False, NINE.replace(hour=11)))
    assert item_sums(store, "in_transit") == {}


def test_a_receipt_on_the_order_that_a_shipped_line_is_for_ends_its_way(store: Store) -> None:
    line = {"order_ref": {"type": "purchase_order", "id": "77", "line": "1"}}
    post(store, shipped("s1", "10", line=line), shipped("s2", "5", "D2", line=line))

    post(store, arrived("g1", "12", "77", kind="purchase_order"), arrived("g2", "1", "D2", kind="despatch_advice"))

    assert on_way(store) == {"delivery:D2": ("P100", "P200", "2")}


def test_what_came_before_its_shipment_was_told_is_not_on_its_way(store: Store) -> None:
    post(store, arrived("g1", "10"))

    post(store, shipped("s1", "10"))

    assert on_way(store) == {}
    assert item_sums(store, "in_transit") == {}


def test_an_arrival_of_another_lot_item_plant_or_document_ends_nothing(store: Store) -> None:
    post(store, shipped("s1", "10", **LOT))

    post(store, arrived("g1", "1", lot="L2"), arrived("g2", "1", item="BIKE-100"), arrived("g3", "1", "D9"))
    post(store, arrived("g4", "1", plant="P100"))
    others = on_way(store)
    post(store, arrived("g5", "2", lot="L1"), arrived("g6", "3"))

    assert others == {"delivery:D1": ("P100", "P200", "10")}
    assert on_way(store) == {"delivery:D1": ("P100", "P200", "5")}


@pytest.mark.parametrize(("undone", "left"), [("s1", {}), ("g1", {"delivery:D1": ("P100", "P200", "10")})])
def test_what_is_reversed_was_neither_sent_nor_received(store: Store, undone: str, left: dict[str, Any]) -> None:
    names = dict(zip(("s1", "g1"), post(store, shipped("s1", "10"), arrived("g1", "4")), strict=True))
    line = pipeline(store, {"erp": Books()})

    with store.writing() as session:
        reverse(session, names[undone], "a mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line, "P100")
    run_once(line, "P200")
    enter_all(store)

    assert on_way(store) == left
    assert item_sums(store, "in_transit") == ({("P200", "WHEEL-10"): "10"} if left else {})


def test_built_anew_it_says_the_same(store: Store) -> None:
    post(store, shipped("s1", "10", **LOT), arrived("g1", "4"), shipped("s2", "3", "D2"), arrived("g2", "9", "D2"))
    before = facts_told(store)

    rebuild(store, NOON)
    enter_all(store)

    assert facts_told(store) == before


@pytest.mark.parametrize(
    ("party", "plant"),
    [("P200", "P200"), ("2000", "P200"), ("4012345000009", "P200"), ("4099999000001", None), ("9", None), (None, None)],
)
def test_partners_name_a_plant_by_its_code_its_site_or_one_of_its_parties(party: str, plant: str | None) -> None:
    options = {"site": "2000", "parties": ["4012345000009", "9"]}
    plants = {"P200": Plant("P200", "Lyon", "Europe/Paris", options=options)}
    plants["P300"] = Plant("P300", "Detroit", "America/Detroit", options={"site": "9"})

    assert replace(demo_topology(), plants=plants).plant_of_party(party) == plant


def announced(message_id: str, value: str, delivery: str = "D1", **data: Any) -> Any:
    """What a supplier says that it has sent to P200, told to P200."""
    return replace(shipped(message_id, value, delivery, **{"ship_from": "SUPPLIER-1"} | data), plant="P200")


def stock_of(store: Store) -> dict[str, int]:
    with store.reading() as session:
        return {row.plant: int(row.quantity) for row in session.execute(select(Stock)).scalars() if row.quantity}


def test_what_a_supplier_has_sent_is_on_its_way_here_and_leaves_no_stock(store: Store) -> None:
    post(store, announced("a1", "10"))
    at_first = (on_way(store), item_sums(store, "in_transit"), stock_of(store))

    post(store, arrived("g1", "4"))

    assert at_first == ({"delivery:D1": ("", "P200", "10")}, {("P200", "WHEEL-10"): "10"}, {})
    assert on_way(store) == {"delivery:D1": ("", "P200", "6")}
    assert stock_of(store) == {"P200": 4}


def test_what_a_supplier_has_sent_ends_by_a_receipt_on_our_order_whichever_comes_first(store: Store) -> None:
    line = {"order_ref": {"type": "purchase_order", "id": "77", "line": "1"}}
    post(store, arrived("g1", "10", "77", kind="purchase_order"))

    post(store, announced("a1", "10", line=line))

    assert (on_way(store), item_sums(store, "in_transit"), stock_of(store)) == ({}, {}, {"P200": 10})


def test_what_another_own_plant_announces_here_counts_once_as_that_plant_tells_it(store: Store) -> None:
    post(store, announced("a1", "10", ship_from="P100"))
    by_announcement = (on_way(store), stock_of(store))

    post(store, shipped("s1", "10"))

    assert by_announcement == ({}, {})
    assert on_way(store) == {"delivery:D1": ("P100", "P200", "10")}
    assert stock_of(store) == {"P100": -10}


def test_what_leaves_a_place_of_the_plant_for_another_of_it_is_no_announcement(store: Store) -> None:
    post(store, announced("a1", "10", ship_from="P200"))

    assert (on_way(store), stock_of(store)) == ({}, {"P200": -10})


def test_an_announcement_that_is_reversed_is_on_its_way_no_more(store: Store) -> None:
    (announcement,) = post(store, announced("a1", "10"))
    line = pipeline(store, {"erp": Books()})

    with store.writing() as session:
        reverse(session, announcement, "a mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line, "P200")
    enter_all(store)

    assert (on_way(store), item_sums(store, "in_transit"), stock_of(store)) == ({}, {}, {})


@pytest.mark.parametrize(
    ("source", "told", "ends"),
    [
        ("supplier", {"ship_from": "S-1"}, {"to_plant": "P200"}),
        ("supplier", {"ship_to": "P100"}, {"to_plant": "P100"}),
        ("mes", {"ship_from": "P200", "ship_to": "C-1"}, {"from_plant": "P200"}),
        ("mes", {"ship_to": "C-1"}, {}),
    ],
)
def test_a_source_that_ships_to_us_need_not_name_the_plant(
    source: str, told: dict[str, str], ends: dict[str, str]
) -> None:
    topology = demo_topology()
    supplier = replace(topology.sources["mes"], code="supplier", options={"ships_to_us": True})
    topology = replace(topology, sources={**topology.sources, "supplier": supplier})

    assert topology.ends_of_shipment(source, "P200", told) == ends
