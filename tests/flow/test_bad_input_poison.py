"""Input that no database column could hold ends dead with a reason; before, it would have stopped its whole batch."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select

from app.errors import Transient
from app.store.reference_tables import ProductionOrder
from app.store.session import Store
from tests.interop.house import House, know_items, open_house

pytestmark = pytest.mark.slow

AT = "2026-03-02T08:00:00Z"


def ordered(house: House, message_id: str, item: str, value: str, uom: str) -> int:
    data = {"event_time": AT, "order_id": message_id, "item": item, "quantity": {"value": value, "uom": uom}}
    answer = house.event("erp", message_id, "production.order.released.v1", data)
    assert answer.status_code == 202, answer.text
    return int(answer.get_json()["id"])


def test_an_amount_that_is_beyond_bounds_only_in_its_base_unit_is_dead_and_says_so(
    store: Store, tmp_path: Path
) -> None:
    house = open_house(store, tmp_path)
    know_items(store, [("SCREW", "EA", {"SHIP": "9" * 18})])
    bad, good = ordered(house, "bad", "SCREW", "9" * 18, "SHIP"), ordered(house, "good", "SCREW", "9" * 18, "EA")

    house.run()

    assert house.fate(good).state == "posted"
    assert (house.fate(bad).state, house.fate(bad).code) == ("dead", "quantity_invalid")
    assert "correct the quantity" in house.fate(bad).reason


def test_a_unit_is_no_longer_than_every_table_can_hold(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path)
    item = {"event_time": AT, "item": "NEW", "description": "new", "base_uom": "U" * 17}

    answers = [
        house.event("erp", f"item-{size}", "item.changed.v1", {**item, "base_uom": "U" * size}) for size in (16, 17)
    ]

    assert [answer.status_code for answer in answers] == [202, 422]
    assert house.fate_of(answers[0]).state == "posted"


def test_a_document_of_too_many_events_is_dead_and_says_how_many_it_holds(store: Store, tmp_path: Path) -> None:
    house = open_house(store, tmp_path)
    amount = "<Quantity><QuantityString>1</QuantityString><UnitOfMeasure>each</UnitOfMeasure></Quantity>"
    made = f"<MaterialDefinitionID>FRAME-RAW</MaterialDefinitionID><MaterialUse>Produced</MaterialUse>{amount}"
    segments = f"<SegmentResponse><MaterialActual>{made}</MaterialActual></SegmentResponse>" * 700
    response = f"<ProductionResponse><ID>7</ID><EndTime>{AT}</EndTime>{segments}</ProductionResponse>"
    body = f"<ProductionPerformance>{response * 3}</ProductionPerformance>".encode()

    fate = house.fate_of(house.send("mes-p200", "many", "b2mml.ProductionPerformance", body, "application/xml"))

    assert (fate.state, fate.code) == ("dead", "too_many_events")
    assert "2,100 events" in fate.reason


def test_a_unit_that_is_taken_from_an_item_meanwhile_stops_no_posting_and_is_counted_as_it_was(
    store: Store, tmp_path: Path
) -> None:
    house = open_house(store, tmp_path)
    house.books["mes"].before = [Transient("down")]
    order = ordered(house, "o1", "WHEEL-10", "3", "BOX")
    house.run()

    know_items(store, [("WHEEL-10", "EA", {})])
    house.clock.pass_time(600)
    house.run()

    assert house.fate(order).state == "posted"
    with store.reading() as session:
        planned = session.execute(select(ProductionOrder.planned, ProductionOrder.uom)).one()
    assert tuple(planned) == (Decimal(30), "EA")
