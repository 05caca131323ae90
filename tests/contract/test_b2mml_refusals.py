"""B2MML schedules, material, events and inventory that are wrong or ambiguous are refused with their place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.context import CrosswalkMissing, Crosswalks, Event, InboundContext, MappingError, PlantFacts
from mappings.registry import INBOUND

PLANT = PlantFacts("P200", "Machining", "Europe/Paris")
AMOUNT = "<Quantity><QuantityString>{}</QuantityString><UnitOfMeasure>PC</UnitOfMeasure></Quantity>"


def events(kind: str, body: str, **options: Any) -> list[Event]:
    mapping = INBOUND["mes_b2mml", f"b2mml.{kind}"]
    context = InboundContext(PLANT, "source", "m", datetime(2026, 1, 1, tzinfo=UTC), {"PC": "EA"}, options)
    return list(mapping.to_canonical(mapping.read(body.encode(), context.deviations), context))


def refusal(kind: str, body: str, **options: Any) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        events(kind, body, **options)
    return caught.value.code, caught.value.field


def needs(item: str, use: str, amount: str = "1", more: str = "") -> str:
    told = f"<MaterialUse>{use}</MaterialUse>" if use else ""
    named = f"<MaterialDefinitionID>{item}</MaterialDefinitionID>{more}"
    return f"<MaterialRequirement>{named}{told}{AMOUNT.format(amount)}</MaterialRequirement>"


def schedule(*segments: str, head: str = "<ID>7</ID>") -> str:
    inner = "\n".join(f"<SegmentRequirement><ID>{n}</ID>{one}</SegmentRequirement>" for n, one in enumerate(segments))
    return f"<ProductionSchedule><ProductionRequest>{head}\n{inner}</ProductionRequest></ProductionSchedule>"


REQUEST = "line 1, ProductionSchedule/ProductionRequest"
FIRST = "line 2, ProductionSchedule/ProductionRequest/SegmentRequirement/MaterialRequirement"
SECOND = "line 3, ProductionSchedule/ProductionRequest/SegmentRequirement[2]/MaterialRequirement"
A, B = needs("A", "Produced"), needs("B", "Produced")
NO_UNIT = needs("B", "Consumed").replace("<UnitOfMeasure>PC</UnitOfMeasure>", "")
TWO_LOTS = needs("B", "Consumed", more="<MaterialLotID>1</MaterialLotID><MaterialLotID>2</MaterialLotID>")
TWO_ITEMS = needs("B", "Consumed", more="<MaterialDefinitionID>C</MaterialDefinitionID>")
FORECAST = "<ID>7</ID><RequestState>Forecast</RequestState>"
MAINTENANCE = "<ID>7</ID><OperationsType>Maintenance</OperationsType>"


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        (schedule(A, head=""), "payload_invalid", REQUEST),
        (schedule(needs("A", "Consumed")), "product_missing", REQUEST),
        (schedule(needs("A", "")), "product_missing", REQUEST),
        (schedule(A, B), "product_ambiguous", SECOND),
        (schedule(A, needs("A", "Produced", "2")), "product_ambiguous", FIRST),
        (schedule(needs("A", "Produced", "0")), "quantity_invalid", FIRST),
        (schedule(needs("A", "Verbraucht")), "material_use_unsupported", FIRST),
        (schedule(A, needs("B", "Consumed", "x")), "quantity_invalid", SECOND),
        (schedule(A, needs("B", "Consumed").replace("PC", "t")), "unit_unknown", SECOND),
        (schedule(A, NO_UNIT), "payload_invalid", SECOND),
        (schedule(A, TWO_LOTS), "lot_ambiguous", SECOND),
        (schedule(A, TWO_ITEMS), "item_ambiguous", SECOND),
        (schedule(A, head=FORECAST), "request_state_unsupported", REQUEST),
        (schedule(A, head=MAINTENANCE), "operations_type_unsupported", REQUEST),
        (schedule(A, head="<ID>7</ID><StartTime>soon</StartTime>"), "time_invalid", f"{REQUEST}/StartTime"),
    ],
)
def test_a_schedule_that_is_wrong_or_ambiguous_is_refused_with_its_place(body: str, code: str, place: str) -> None:
    assert refusal("ProductionSchedule", body) == (code, place)


def test_two_segments_that_plan_the_same_amount_plan_it_once() -> None:
    (event,) = events("ProductionSchedule", schedule(A, A))

    assert (event.data["item"], event.data["quantity"]) == ("A", {"value": "1", "uom": "EA"})


def test_a_co_product_is_not_what_an_order_makes() -> None:
    (event,) = events("OperationsSchedule", schedule(A, needs("B", "Co-product Produced")))

    assert event.data["item"] == "A"


def test_a_forecast_is_passed_over_where_the_topology_says_so() -> None:
    forecast = "<ProductionRequest><ID>8</ID><RequestState>Forecast</RequestState></ProductionRequest>"
    body = schedule(A).replace("</ProductionSchedule>", f"{forecast}</ProductionSchedule>")

    released = events("ProductionSchedule", body, ignored_states=["Forecast"])

    assert [event.data["order_id"] for event in released] == ["7"]


def lot(inner: str, name: str = "MaterialLot") -> str:
    return f"<{name}><ID>L-1</ID><MaterialDefinitionID>A</MaterialDefinitionID>{inner}</{name}>"


STOCK = "<StorageLocation>BIN</StorageLocation>" + AMOUNT.format("5")
HELD = "<Status>Blocked</Status>"


@pytest.mark.parametrize(
    ("inner", "code"),
    [
        ("", "nothing_reported"),
        (AMOUNT.format("5"), "nothing_reported"),
        (HELD + STOCK, "lot_ambiguous"),
        ("<Status>In Use</Status>", "lot_status_unknown"),
        ("<Disposition>Planned</Disposition>", "lot_status_unknown"),
        (f"<MaterialSubLot><ID>1</ID>{STOCK}</MaterialSubLot>{STOCK}", "quantity_ambiguous"),
        ("<MaterialSubLot><ID>1</ID><MaterialSubLot><ID>2</ID></MaterialSubLot></MaterialSubLot>", "sub_lot_nested"),
        (f"<MaterialSubLot><ID>1</ID>{HELD}<MaterialLotID>L-2</MaterialLotID></MaterialSubLot>", "lot_ambiguous"),
        (STOCK.replace(">5<", ">-5<"), "quantity_invalid"),
    ],
)
def test_a_lot_that_says_nothing_or_too_much_is_refused_with_its_place(inner: str, code: str) -> None:
    found, place = refusal("MaterialLot", lot(inner))

    assert found == code
    assert place
    assert place.startswith("line 1, MaterialLot")


@pytest.mark.parametrize(
    ("chosen", "types"),
    [
        ("status", ["quality.held.v1"]),
        ("stock", ["inventory.counted.v1"]),
        ("both", ["quality.held.v1", "inventory.counted.v1"]),
    ],
)
def test_a_lot_with_status_and_stock_is_what_the_topology_says(chosen: str, types: list[str]) -> None:
    assert [event.type for event in events("MaterialLot", lot(HELD + STOCK), lots=chosen)] == types


def test_a_status_of_the_senders_own_is_translated_by_the_topology() -> None:
    (event,) = events("MaterialLot", lot("<Status>S2</Status>"), lot_statuses={"S2": "unrestricted"})

    assert (event.type, event.data["status"]) == ("quality.released.v1", "unrestricted")


def test_a_sublot_alone_must_name_its_lot_and_can_be_held_but_not_counted() -> None:
    inner = "<MaterialSubLot><ID>1</ID>{}<MaterialLotID>L-1</MaterialLotID></MaterialSubLot>"

    assert refusal("MaterialSubLot", f"<MaterialSubLot><ID>1</ID>{HELD}</MaterialSubLot>")[0] == "payload_invalid"
    assert [event.data["lot"] for event in events("MaterialSubLot", inner.format(HELD))] == ["L-1"]
    assert refusal("MaterialSubLot", inner.format(STOCK))[0] == "payload_invalid"


def definition(name: str, value: str) -> str:
    told = f"<ID>{name}</ID><Value><ValueString>{value}</ValueString></Value>"
    told = f"<MaterialDefinitionProperty>{told}</MaterialDefinitionProperty>"
    return f"<MaterialDefinition><ID>A</ID>{told}</MaterialDefinition>"


def test_an_item_without_a_base_unit_is_refused_with_the_properties_that_it_has() -> None:
    with pytest.raises(MappingError, match=r"it has: Weight Unit\. Name the property") as caught:
        events("MaterialDefinition", definition("Weight Unit", "PC"))

    assert (caught.value.code, caught.value.field) == ("unit_missing", "line 1, MaterialDefinition")


def test_the_topology_names_the_property_that_holds_the_base_unit() -> None:
    (event,) = events("MaterialDefinition", definition("Weight Unit", "PC"), unit_property="Weight Unit")

    assert event.data["base_uom"] == "EA"


def test_an_item_without_any_time_changed_when_it_came() -> None:
    (event,) = events("MaterialDefinition", definition("UOM", "PC"))

    assert event.data["event_time"] == "2026-01-01T00:00:00Z"


def product(*materials: str, more: str = "") -> str:
    inner = "".join(materials).replace("Requirement>", "Specification>")
    segment = f"<ProductSegment><ID>10</ID>{inner}</ProductSegment>"
    return f"<ProductDefinition><ID>A</ID>{more}{segment}</ProductDefinition>"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (product(), "product_missing"),
        (product(A), "bill_empty"),
        (product(needs("B", "Consumed")), "product_missing"),
        (product(A, needs("B", "")), "material_use_missing"),
        (product(A, B, needs("C", "Consumed")), "product_ambiguous"),
        (product(more="<ManufacturingBill><ID>1</ID></ManufacturingBill>"), "bill_without_unit"),
        (product(A, more="<OperationsType>Quality</OperationsType>"), "operations_type_unsupported"),
    ],
)
def test_a_definition_that_is_no_whole_bill_is_refused_with_its_place(body: str, code: str) -> None:
    found, place = refusal("ProductDefinition", body)

    assert found == code
    assert place
    assert place.startswith("line 1, ProductDefinition")


def operations_event(inner: str) -> str:
    equipment = f"<InformationObject><Equipment>{inner}</Equipment></InformationObject>"
    entry = f"<OperationsRecordEntry><ID>1</ID>{equipment}</OperationsRecordEntry>"
    return (
        f"<OperationsEvent><ID>1</ID><OperationsEventRecord><ID>1</ID>{entry}</OperationsEventRecord></OperationsEvent>"
    )


def test_an_event_that_tells_no_state_or_not_whose_or_not_when_is_refused() -> None:
    state = "<EquipmentProperty><ID>State</ID><Value><ValueString>Down</ValueString></Value></EquipmentProperty>"

    assert refusal("OperationsEvent", operations_event("<ID>CELL</ID>")) == (
        "event_unsupported",
        "line 1, OperationsEvent",
    )
    assert refusal("OperationsEvent", operations_event(state))[0] == "payload_invalid"
    assert refusal("OperationsEvent", operations_event(f"<ID>CELL</ID>{state}"))[0] == "time_missing"


def inventory(*materials: str) -> str:
    head = "<ID>1</ID><OperationsType>Inventory</OperationsType><EndTime>2026-02-06T18:00:00Z</EndTime>"
    segment = f"<SegmentResponse>{''.join(materials)}</SegmentResponse>"
    response = f"<OperationsResponse>{head}{segment}</OperationsResponse>"
    return f"<OperationsPerformance>{response}</OperationsPerformance>"


def stock(use: str, at: str = "X", amount: str = "1") -> str:
    where = f"<StorageLocation>{at}</StorageLocation>" if at else ""
    named = f"<MaterialDefinitionID>A</MaterialDefinitionID><MaterialUse>{use}</MaterialUse>"
    return f"<MaterialActual>{named}{where}{AMOUNT.format(amount)}</MaterialActual>"


@pytest.mark.parametrize(
    ("materials", "code"),
    [
        ([stock("Consumed")], "movement_incomplete"),
        ([stock("Produced")], "movement_incomplete"),
        ([stock("Consumed"), stock("Produced", "Y", "2")], "movement_incomplete"),
        ([stock("Consumed", ""), stock("Produced")], "place_missing"),
        ([stock("Inventoried", "")], "place_missing"),
        ([stock("Sample")], "material_use_unsupported"),
    ],
)
def test_a_movement_that_lacks_an_end_is_refused_with_its_place(materials: list[str], code: str) -> None:
    found, place = refusal("OperationsPerformance", inventory(*materials))

    assert found == code
    assert place
    assert "MaterialActual" in place


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("MaterialLot", lot(STOCK)),
        ("OperationsPerformance", inventory(stock("Inventoried", "BIN"))),
        ("OperationsPerformance", inventory(stock("Consumed", "BIN"), stock("Produced", "Y"))),
    ],
)
def test_a_storage_location_waits_for_its_crosswalk_where_the_source_uses_one(kind: str, body: str) -> None:
    mapping = INBOUND["mes_b2mml", f"b2mml.{kind}"]
    asked = Crosswalks("mes-p200", ("storages",), {"storages": {"Y": "P200-Y"}})
    context = InboundContext(PLANT, "s", "m", datetime(2026, 1, 1, tzinfo=UTC), {"PC": "EA"}, crosswalks=asked)

    with pytest.raises(CrosswalkMissing, match="it has no entry for 'BIN'"):
        mapping.to_canonical(mapping.read(body.encode(), context.deviations), context)
