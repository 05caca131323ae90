"""What mappings refuse, by which code, and at which place: filters and operators rely on both."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Event, InboundContext, MappingError, OutboundContext, PlantFacts
from mappings.formats import b2mml
from mappings.registry import INBOUND, OUTBOUND

PLANT = PlantFacts("P300", "Paint shop", "America/Detroit", {"storage": "P300-ST"})
ROW = {
    "record_no": "1",
    "order_no": "0001",
    "operation": "0010",
    "item_no": "A",
    "lot_no": "",
    "reason": "R",
    "good_qty": "1",
    "scrap_qty": "1",
    "unit": "PC",
    "last": "",
    "posted_on": "04.02.2026",
    "posted_time": "080000",
}
MOVEMENT = {
    "record_no": "1",
    "movement": "261",
    "item_no": "A",
    "quantity": "1",
    "unit": "PC",
    "from_storage": "F",
    "to_storage": "T",
    "order_no": "7",
    "lot_no": "",
    "posted_at": "20260204080000",
}
MATERIAL = "<MaterialDefinitionID>A</MaterialDefinitionID><MaterialUse>{use}</MaterialUse>{quantity}"
QUANTITY = "<Quantity><QuantityString>1</QuantityString><UnitOfMeasure>PC</UnitOfMeasure></Quantity>"


def refusal(family: str, kind: str, payload: Any, **options: Any) -> tuple[str, str | None]:
    context = InboundContext(PLANT, "source", "m", datetime(2026, 1, 1, tzinfo=UTC), {"PC": "EA"}, options)
    with pytest.raises(MappingError) as caught:
        INBOUND[family, kind].to_canonical(payload, context)
    return caught.value.code, caught.value.field


def performance(segment: str, response: str = "<ProductionRequestID>1</ProductionRequestID>") -> Any:
    inner = f"<ProductionResponse>{response}<SegmentResponse>{segment}</SegmentResponse></ProductionResponse>"
    return b2mml.read_performance(f"<ProductionPerformance>{inner}</ProductionPerformance>".encode())


def actual(use: str = "Consumed", quantity: str = QUANTITY, time: str = "2026-02-04T08:00:00Z", more: str = "") -> str:
    ended = f"<ActualEndTime>{time}</ActualEndTime>" if time else ""
    return f"{ended}<MaterialActual>{MATERIAL.format(use=use, quantity=quantity)}{more}</MaterialActual>"


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"good_qty": "12.500"}, "quantity_invalid", "good_qty"),
        ({"good_qty": "5-"}, "quantity_invalid", "good_qty"),
        ({"good_qty": "1,0000000001"}, "quantity_invalid", "good_qty"),
        ({"scrap_qty": "NaN"}, "quantity_invalid", "scrap_qty"),
        ({"good_qty": "", "scrap_qty": "0"}, "nothing_reported", "good_qty"),
        ({"unit": "KG"}, "unit_unknown", "good_qty"),
        ({"unit": ""}, "payload_invalid", "unit"),
        ({"reason": ""}, "payload_invalid", "reason"),
        ({"last": "Y"}, "payload_invalid", "last"),
        ({"item_no": " "}, "payload_invalid", "item_no"),
        ({"posted_on": "2026-02-04"}, "time_invalid", "posted_on"),
        ({"posted_time": "246000"}, "time_invalid", "posted_on"),
    ],
)
def test_a_legacy_confirmation_that_is_wrong_is_refused_with_its_place(
    changes: dict[str, str], code: str, place: str
) -> None:
    assert refusal("legacy_files", "legacy.confirmation", {**ROW, **changes}) == (code, place)


def test_a_row_that_lacks_a_column_is_refused_by_its_name() -> None:
    row = {name: text for name, text in ROW.items() if name != "unit"}

    assert refusal("legacy_files", "legacy.confirmation", row) == ("payload_invalid", "unit")


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"movement": "262"}, "movement_unknown", "movement"),
        ({"movement": ""}, "movement_unknown", "movement"),
        ({"quantity": "0,000"}, "quantity_invalid", "quantity"),
        ({"order_no": ""}, "payload_invalid", "order_no"),
        ({"movement": "101", "order_no": ""}, "payload_invalid", "order_no"),
        ({"movement": "311", "to_storage": ""}, "payload_invalid", "to_storage"),
        ({"posted_at": "00:00.0"}, "time_invalid", "posted_at"),
    ],
)
def test_a_legacy_movement_that_is_wrong_is_refused_with_its_place(
    changes: dict[str, str], code: str, place: str
) -> None:
    assert refusal("legacy_files", "legacy.movement", {**MOVEMENT, **changes}) == (code, place)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (performance(actual(use="Sample")), "material_use_unsupported"),
        (performance(actual(quantity=QUANTITY * 2)), "quantity_ambiguous"),
        (performance(actual(quantity="")), "payload_invalid"),
        (performance(actual(quantity=QUANTITY.replace(">1<", ">-1<"))), "quantity_invalid"),
        (performance(actual(quantity=QUANTITY.replace("PC", "ton"))), "unit_unknown"),
        (performance(actual(more="<AssemblyActual/>")), "assembly_unsupported"),
        (performance(actual(time="")), "time_missing"),
        (performance(actual(time="yesterday")), "time_invalid"),
        (performance(actual(), response=""), "payload_invalid"),
        (performance(""), "nothing_reported"),
        (performance(actual(quantity=QUANTITY.replace(">1<", ">0<"))), "nothing_reported"),
        (
            performance(actual(), response="<ID>1</ID><OperationsType>Quality</OperationsType>"),
            "operations_type_unsupported",
        ),
    ],
)
def test_a_b2mml_performance_that_is_wrong_is_refused_with_its_place(payload: Any, code: str) -> None:
    assert refusal("mes_b2mml", "b2mml.ProductionPerformance", payload)[0] == code


def test_uses_of_material_that_the_topology_lists_are_passed_over() -> None:
    payload = performance(actual(use="Consumable") + actual(use="Produced", time=""))
    options = {"ignored_uses": ["Consumable"]}
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), {"PC": "EA"}, options)

    events = INBOUND["mes_b2mml", "b2mml.ProductionPerformance"].to_canonical(payload, context)

    assert [event.type for event in events] == ["production.completed.v1"]


@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"menge": -1}, "quantity_invalid", "menge"),
        ({"menge": 1.5}, "quantity_invalid", "menge"),
        ({"menge": None}, "payload_invalid", "menge"),
        ({"einheit": "EA"}, "unit_unknown", "menge"),
        ({"von": {"status": "X"}}, "stock_status_unknown", "von.status"),
        ({"ts": "gestern"}, "time_invalid", "ts"),
        ({"nach": 7}, "payload_invalid", "nach"),
        ({"material": ""}, "payload_invalid", "material"),
    ],
)
def test_a_mes_move_that_is_wrong_is_refused_with_its_place(changes: dict[str, Any], code: str, place: str) -> None:
    move = {"ts": "2026-02-03T09:15:00", "material": "A", "menge": 1, "einheit": "PC"}
    move |= {"von": {"lagerort": "F"}, "nach": {"lagerort": "T"}, **changes}

    assert refusal("mes_json", "mes.move", move) == (code, place)


def test_an_item_that_the_target_was_not_told_about_is_refused() -> None:
    data = {"event_time": "2026-01-01T08:00:00Z", "order_id": "1"}
    data |= {"item": "X", "quantity": {"value": "1", "uom": "EA"}, "reason": "R"}
    event = Event("production.scrapped.v1", contract.validate("production.scrapped.v1", data))

    with pytest.raises(MappingError, match="item_unknown"):
        OUTBOUND["planning", event.type].to_document(event, OutboundContext(PLANT, "planning", "LSKEY"))
