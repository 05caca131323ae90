"""What SAP's IDocs mean: movement types, states of orders, numbers and times, and the source's options."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Crosswalks, Deviations, Event, InboundContext, MappingError, NothingToDo, PlantFacts
from mappings.formats import idoc
from mappings.registry import INBOUND
from tests.idocs import FlatIdoc, movement

PLANT = PlantFacts("P100", "Assembly", "Europe/Berlin", {"site": "1000"})
ITEM = "line 4, segment 000003 (E2BP2017_GM_ITEM_CREATE)"


def events(
    flat: FlatIdoc, kind: str = "MBGMCR", deviations: Deviations | None = None, **options: Any
) -> Sequence[Event]:
    noted = deviations or Deviations()
    context = InboundContext(PLANT, "sap", "m", datetime(2026, 1, 1, tzinfo=UTC), {"ST": "EA"}, options, noted)
    found = INBOUND["sap_idoc", f"idoc.{kind}"].to_canonical(idoc.read(flat.body(), noted), context)
    if isinstance(found, NothingToDo):
        return found
    return [Event(event.type, contract.validate(event.type, event.data)) for event in found]


def event(flat: FlatIdoc, kind: str = "MBGMCR", **options: Any) -> Event:
    (found,) = events(flat, kind, **options)
    return found


def refusal(flat: FlatIdoc, kind: str = "MBGMCR", **options: Any) -> tuple[str, str | None]:
    with pytest.raises(MappingError) as caught:
        events(flat, kind, **options)
    return caught.value.code, caught.value.field


def moved(movement_type: str, **item: str) -> FlatIdoc:
    return movement(**{"PLANT": "1000", "MOVE_TYPE": movement_type, "ORDERID": "", **item})


@pytest.mark.parametrize(
    ("movement_type", "before", "after"),
    [
        ("311", {"storage": "0001"}, {"storage": "0002"}),
        ("312", {"storage": "0002"}, {"storage": "0001"}),
        ("321", {"storage": "0001", "stock_status": "quality"}, {"storage": "0002", "stock_status": "unrestricted"}),
        ("343", {"storage": "0001", "stock_status": "blocked"}, {"storage": "0002", "stock_status": "unrestricted"}),
        ("349", {"storage": "0001", "stock_status": "blocked"}, {"storage": "0002", "stock_status": "quality"}),
    ],
)
def test_a_transfer_says_from_where_and_to_where(
    movement_type: str, before: dict[str, str], after: dict[str, str]
) -> None:
    found = event(moved(movement_type, MOVE_STLOC="0002"))

    assert found.type == "inventory.moved.v1"
    assert (found.data["from"], found.data["to"]) == (before, after)


def test_a_transfer_to_another_plant_names_it_as_the_topology_does() -> None:
    found = event(moved("301", MOVE_PLANT="1100", MOVE_STLOC="0009"), plants={"1100": "P200"})

    assert found.data["to"] == {"site": "P200", "storage": "0009"}
    assert found.data["from"] == {"site": "P100", "storage": "0001"}


@pytest.mark.parametrize(("movement_type", "delta"), [("551", "-2"), ("552", "2"), ("701", "2"), ("702", "-2")])
def test_scrap_and_differences_of_stock_adjust_it(movement_type: str, delta: str) -> None:
    found = event(moved(movement_type, MOVE_REAS="0003"))

    assert found.type == "inventory.adjusted.v1"
    assert found.data["delta"] == {"value": delta, "uom": "EA"}
    assert found.data["reason"] == f"movement {movement_type} reason 3"


@pytest.mark.parametrize(
    ("flat", "code", "place"),
    [
        (moved("262"), "order_ambiguous", f"{ITEM} PO_NUMBER"),
        (moved("102", ORDERID="1", PO_NUMBER="2"), "order_ambiguous", f"{ITEM} PO_NUMBER"),
        (moved("552", ORDERID="1"), "movement_unknown", f"{ITEM} ORDERID"),
        (moved("201"), "movement_unknown", f"{ITEM} MOVE_TYPE"),
        (moved("261"), "payload_invalid", f"{ITEM} ORDERID"),
        (moved("101"), "order_ambiguous", f"{ITEM} PO_NUMBER"),
        (moved("101", ORDERID="1", PO_NUMBER="2"), "order_ambiguous", f"{ITEM} PO_NUMBER"),
        (moved("311"), "payload_invalid", f"{ITEM} MOVE_STLOC"),
        (moved("344", MOVE_STLOC="0002"), "movement_ambiguous", f"{ITEM} MOVE_STLOC"),
        (moved("551", SPEC_STOCK="K"), "stock_unsupported", f"{ITEM} SPEC_STOCK"),
        (moved("551", PLANT="1200"), "plant_wrong", f"{ITEM} PLANT"),
        (moved("551", ENTRY_UOM="KAR"), "unit_unknown", f"{ITEM} ENTRY_QNT"),
        (moved("551", ENTRY_UOM=""), "payload_invalid", f"{ITEM} ENTRY_UOM_ISO"),
        (moved("551", ENTRY_QNT="2.000-"), "quantity_invalid", f"{ITEM} ENTRY_QNT"),
        (moved("551", ENTRY_QNT="2,000"), "quantity_invalid", f"{ITEM} ENTRY_QNT"),
        (moved("551", ENTRY_QNT=""), "quantity_invalid", f"{ITEM} ENTRY_QNT"),
        (moved("551", MATERIAL=""), "payload_invalid", f"{ITEM} MATERIAL"),
    ],
)
def test_a_movement_that_cannot_be_told_is_refused_with_its_place(flat: FlatIdoc, code: str, place: str) -> None:
    assert refusal(flat) == (code, place)


@pytest.mark.parametrize(
    ("posted", "instant"), [("20260303", "2026-03-03T07:15:30Z"), ("20260302", "2026-03-01T23:00:00Z")]
)
def test_a_posting_of_the_day_has_the_time_of_its_idoc_and_any_other_begins_its_day(posted: str, instant: str) -> None:
    flat = FlatIdoc("MBGMCR").add("E2BP2017_GM_HEAD_01", PSTNG_DATE=posted)
    fields = {"MATERIAL": "A", "STGE_LOC": "0001", "MOVE_TYPE": "701", "ENTRY_QNT": "1", "ENTRY_UOM": "ST"}

    assert event(flat.add("E2BP2017_GM_ITEM_CREATE", **fields)).data["event_time"] == instant


def test_a_source_with_crosswalks_has_its_own_movement_types_storages_and_reasons() -> None:
    tables = {"movement_types": {"901": "311"}, "storages": {"0001": "STOCK", "0002": "LINE"}, "units": {"ST": "EA"}}
    context = InboundContext(
        PLANT, "sap", "m", datetime(2026, 1, 1, tzinfo=UTC), crosswalks=Crosswalks("sap", tables, tables)
    )
    body = moved("901", MOVE_STLOC="0002").body()

    (found,) = INBOUND["sap_idoc", "idoc.MBGMCR"].to_canonical(idoc.read(body), context)

    assert (found.type, found.data["from"], found.data["to"]) == (
        "inventory.moved.v1",
        {"storage": "STOCK"},
        {"storage": "LINE"},
    )


def test_what_ends_an_order_comes_last() -> None:
    flat = movement(PLANT="1000", MOVE_TYPE="101", NO_MORE_GR="X")
    flat.add("E2BP2017_GM_ITEM_CREATE", MATERIAL="A", MOVE_TYPE="261", ENTRY_QNT="1", ENTRY_UOM="ST", ORDERID="1000451")

    assert [one.type for one in events(flat)] == ["material.issued.v1", "production.completed.v1"]


def test_another_message_type_is_refused_by_its_name() -> None:
    with pytest.raises(MappingError) as caught:
        events(movement(), "LOIPRO")

    assert caught.value.code == "idoc_type_unsupported"
    assert "the IDoc is a MBGMCR MBGMCR01" in caught.value.reason


def order(*states: str, **position: str) -> FlatIdoc:
    flat = FlatIdoc("LOIPRO").add(
        "E2AFKOL", AUFNR="000001000451", GAMNG="4.000", GMEIN="ST", GLTRS="20260303", GLUZS="240000"
    )
    for state in states:
        flat.add("E2JSTKL", STAT=state)
    return flat.add("E2AFPOL", POSNR="0001", MATNR="BIKE-100", **position)


@pytest.mark.parametrize(
    ("flat", "why"),
    [
        (order("I0001"), "is created and not released (I0001)"),
        (order("I0002", "I0045"), "is technically completed (I0045)"),
        (order("I0002", "I0046"), "is closed (I0046)"),
    ],
)
def test_an_order_that_is_not_released_yet_or_has_ended_is_nothing_to_do(flat: FlatIdoc, why: str) -> None:
    nothing = events(flat, "LOIPRO")

    assert isinstance(nothing, NothingToDo)
    assert nothing.reason.startswith(f"order 1000451 {why}")


@pytest.mark.parametrize(
    ("flat", "code"),
    [(order("I0002", "I0076"), "order_ended"), (order(), "order_not_released"), (order("I0004"), "order_not_released")],
)
def test_an_order_that_is_to_be_deleted_or_does_not_tell_its_status_is_for_a_person(flat: FlatIdoc, code: str) -> None:
    assert refusal(flat, "LOIPRO")[0] == code


@pytest.mark.parametrize("flat", [order("I0002", "I0004"), order("I0042"), order(DFREI="X")])
def test_a_release_is_told_by_the_status_or_where_there_is_none_by_the_position(flat: FlatIdoc) -> None:
    assert event(flat, "LOIPRO").data["order_id"] == "1000451"


def test_24_o_clock_is_the_begin_of_the_next_day() -> None:
    assert event(order("I0002"), "LOIPRO").data["end"] == "2026-03-03T23:00:00Z"


def with_component() -> FlatIdoc:
    return order("I0002").add_data("E2RESBL", "WHEEL-10".ljust(18) + "8.000".rjust(15) + "ST")


def test_a_segment_whose_columns_nobody_gave_is_passed_over_with_a_note() -> None:
    noted = Deviations()

    (found,) = events(with_component(), "LOIPRO", noted)

    assert "materials" not in found.data
    assert "segment_layout_missing" in {one.code for one in noted.noted}


def test_a_source_gives_the_columns_of_its_own_segments() -> None:
    layout = {"E1RESBL": [["MATNR", 18], ["BDMNG", 15], ["MEINS", 3]]}

    found = event(with_component(), "LOIPRO", segments=layout)

    assert found.data["materials"] == [{"item": "WHEEL-10", "quantity": {"value": "8", "uom": "EA"}}]


def delivery(packed: str, unit: str = "ST", number: str = "00340123450000000017") -> FlatIdoc:
    flat = FlatIdoc("DESADV").add("E2EDL20", VBELN="0080000123")
    flat.add("E2EDL24", POSNR="000010", MATNR="BIKE-100", LFIMG="5.000", VRKME="ST", LGMNG="5.000", MEINS="ST")
    return flat.add("E2EDL37", EXIDV=number).add("E2EDL44", VELIN="1", POSNR="000010", VEMNG=packed, VEMEH=unit)


def test_what_is_packed_and_what_is_not_add_up_to_the_delivery() -> None:
    found = event(delivery("3.000"), "DESADV").data

    assert found["packages"][0]["lines"][0]["quantity"]["value"] == "3"
    assert found["lines"][0]["quantity"]["value"] == "2"


def test_a_number_of_saps_own_is_no_sscc_even_where_its_last_digit_fits() -> None:
    noted = Deviations()

    (found,) = events(delivery("5.000", number="00000000001000000007"), "DESADV", noted)

    assert "packages" not in found.data
    assert "unit_without_sscc" in {one.code for one in noted.noted}


@pytest.mark.parametrize(
    ("flat", "code"),
    [(delivery("6.000"), "quantity_invalid"), (delivery("3.000", "KAR"), "unit_unknown")],
)
def test_a_package_that_holds_what_its_delivery_does_not_is_refused(flat: FlatIdoc, code: str) -> None:
    assert refusal(flat, "DESADV")[0] == code


def purchase(**head: str) -> FlatIdoc:
    flat = FlatIdoc("ORDERS").add("E2EDK01", BELNR="4500000017", **head)
    flat.add("E2EDP01", POSEX="00010", MENGE="10.000", MENEE="ST")
    flat.add("E2EDP20", WMENG="4.000", EDATU="20260310").add("E2EDP20", WMENG="5.000", EDATU="20260311")
    return flat.add("E2EDP19", QUALF="001", IDTNR="A-1").add("E2EDP19", QUALF="002", IDTNR="0000000815")


def test_an_order_takes_the_item_number_that_the_source_asks_for() -> None:
    assert [line["item"] for line in event(purchase(), "ORDERS").data["lines"]] == ["A-1", "A-1"]
    assert event(purchase(), "ORDERS", item_qualifiers=["002"]).data["lines"][0]["item"] == "815"
    assert refusal(purchase(), "ORDERS", item_qualifiers=["003"])[0] == "item_missing"


def test_delivery_dates_that_do_not_add_up_are_noted() -> None:
    noted = Deviations()

    events(purchase(), "ORDERS", noted)

    assert [one.code for one in noted.noted] == ["schedule_sum"]


def test_a_cancelled_order_is_refused() -> None:
    assert refusal(purchase(ACTION="003"), "ORDERS")[0] == "order_cancelled"


def item(language: str, **unit: str) -> FlatIdoc:
    flat = FlatIdoc("MATMAS").add("E2MARAM009", MATNR="A", MEINS="ST").add("E2MAKTM001", SPRAS="D", MAKTX="Rad")
    return flat.add("E2MAKTM001", SPRAS=language, MAKTX="Wheel").add("E2MARMM006", MEINH="ST", **unit)


@pytest.mark.parametrize(("language", "told"), [("EN", "Wheel"), ("de", "Rad"), ("fr", "Rad")])
def test_an_item_is_described_in_the_sources_language_or_in_the_first(language: str, told: str) -> None:
    assert event(item("E", UMREZ="1"), "MATMAS", language=language).data["description"] == told


def test_a_unit_without_a_finite_factor_is_left_out_with_a_note() -> None:
    noted = Deviations()
    flat = item("E", UMREZ="1").add("E2MARMM006", MEINH="KAR", UMREZ="10", UMREN="3")
    context = InboundContext(PLANT, "sap", "m", datetime(2026, 1, 1, tzinfo=UTC), {}, {}, noted)

    (found,) = INBOUND["sap_idoc", "idoc.MATMAS"].to_canonical(idoc.read(flat.body(), noted), context)

    assert "units" not in found.data
    assert [one.code for one in noted.noted] == ["unit_inexact"]


@pytest.mark.parametrize(
    ("movement_type", "order", "delta", "named"),
    [
        ("262", {"ORDERID": "000001000451"}, "2", {"type": "production_order", "id": "1000451"}),
        ("102", {"ORDERID": "000001000451"}, "-2", {"type": "production_order", "id": "1000451"}),
        (
            "102",
            {"PO_NUMBER": "4500012", "PO_ITEM": "00010"},
            "-2",
            {"type": "purchase_order", "id": "4500012", "line": "10"},
        ),
        ("122", {"PO_NUMBER": "4500012"}, "-2", {"type": "purchase_order", "id": "4500012"}),
    ],
)
def test_a_reversal_of_a_receipt_or_an_issue_is_a_counter_movement_on_its_order(
    movement_type: str, order: dict[str, str], delta: str, named: dict[str, str]
) -> None:
    found = event(moved(movement_type, **order))

    assert found.type == "inventory.adjusted.v1"
    assert found.data["delta"] == {"value": delta, "uom": "EA"}
    assert (found.data["reason"], found.data["document_ref"]) == (f"movement {movement_type}", named)
