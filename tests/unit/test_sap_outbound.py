"""What SAP is sent: IDocs that our own reader understands, their reversals, and bodies of OData."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Crosswalks, Deviations, Event, InboundContext, MappingError, OutboundContext, PlantFacts
from mappings.formats import idoc
from mappings.registry import INBOUND, OUTBOUND

PLANT = PlantFacts("P100", "Assembly", "Europe/Berlin", {"storage": "0001", "site": "1000"})
KEY = "LSABCDEFGHIJKLMNOPQRSTUVWX"
AT = "2026-03-02T23:30:00Z"
CONTROL = {"client": "100", "sender_port": "LINESIDE", "sender": "LINESIDE"}
LINE = {"item": "4711", "lot": "B-1", "quantity": {"value": "1.5", "uom": "EA"}, "storage": "0002"}
COMPLETED = {"event_time": AT, "order_id": "1000451", "outputs": [LINE], "final": True}
ISSUED = {"event_time": AT, "order_id": "1000451", "components": [LINE, {**LINE, "item": "PAINT-1"}]}
SCRAPPED = {"event_time": AT, "order_id": "1000451", "item": "4711", "reason": "bent", "quantity": LINE["quantity"]}
MOVED = {
    "event_time": AT,
    "item": "4711",
    "quantity": LINE["quantity"],
    "from": {"storage": "0001"},
    "to": {"storage": "0002"},
}
ADJUSTED = {"event_time": AT, "item": "4711", "reason": "count", "delta": {"value": "-1.5", "uom": "EA"}}
EVENTS = {
    "production.completed.v1": COMPLETED,
    "material.issued.v1": ISSUED,
    "production.scrapped.v1": SCRAPPED,
    "inventory.moved.v1": MOVED,
    "inventory.adjusted.v1": ADJUSTED,
}


def document(family: str, kind: str, data: Mapping[str, Any], key: str = KEY, **options: Any) -> Mapping[str, Any]:
    event = Event(kind, contract.validate(kind, data))
    context = OutboundContext(PLANT, family, key, {}, {"units": {"EA": "ST"}, **options})
    found = OUTBOUND[family, kind].to_document(event, context)
    assert found is not None
    return found


def read_back(text: str) -> Sequence[Event]:
    noted = Deviations(strict=True)
    context = InboundContext(PLANT, "sap", "m", datetime(2026, 1, 1, tzinfo=UTC), {"ST": "EA"}, {}, noted)
    return INBOUND["sap_idoc", "idoc.MBGMCR"].to_canonical(idoc.read(text.encode(), noted), context)


@pytest.mark.parametrize("form", ["flat", "xml"])
@pytest.mark.parametrize("kind", list(EVENTS))
def test_an_idoc_that_is_written_reads_as_the_event_that_it_was(kind: str, form: str) -> None:
    text = document("sap_idoc", kind, EVENTS[kind], form=form, control=CONTROL)["text"]

    (found,) = read_back(text)

    told = {name: found.data[name] for name in EVENTS[kind] if name not in ("reason",)}
    assert found.type == kind
    assert told == {name: contract.validate(kind, EVENTS[kind])[name] for name in told}


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("production.completed.v1", "101", "102"),
        ("material.issued.v1", "261", "262"),
        ("production.scrapped.v1", "551", "552"),
        ("inventory.moved.v1", "311", "312"),
        ("inventory.adjusted.v1", "702", "701"),
    ],
)
@pytest.mark.parametrize("form", ["flat", "xml"])
def test_a_reversal_is_the_document_with_the_reversing_movement_type(
    kind: str, before: str, after: str, form: str
) -> None:
    written = document("sap_idoc", kind, EVENTS[kind], form=form)

    first, second = (idoc.read(written[name].encode())["idocs"][0] for name in ("text", "reversal_text"))

    assert first["control"]["DOCNUM"] != second["control"]["DOCNUM"]
    assert second["control"]["ARCKEY"] == f"reversal of {KEY}"
    assert before in str(first["segments"][-1])
    assert after in str(second["segments"][-1])


def test_what_moves_back_is_read_as_moving_back() -> None:
    (found,) = read_back(document("sap_idoc", "inventory.moved.v1", MOVED)["reversal_text"])

    assert (found.data["from"], found.data["to"]) == ({"storage": "0002"}, {"storage": "0001"})


def test_a_repeat_writes_the_same_bytes_and_another_posting_another_number() -> None:
    first, again = (document("sap_idoc", "inventory.moved.v1", MOVED)["text"] for _ in range(2))
    other = document("sap_idoc", "inventory.moved.v1", MOVED, key="LS" + "A" * 24)["text"]

    assert first == again
    assert first[13:29] != other[13:29]
    assert first[13:29].isdigit()


def test_flat_records_have_their_full_length_head() -> None:
    lines = document("sap_idoc", "inventory.moved.v1", MOVED)["text"].splitlines()

    assert len(lines[0]) == 524
    assert [line[49:63] for line in lines[1:]] == [
        "00000100000001",
        "00000200000102",
        "00000300000102",
        "00000400000102",
    ]


def test_a_segment_may_go_by_the_name_of_its_release() -> None:
    names = {"E1BP2017_GM_ITEM_CREATE": "E2BP2017_GM_ITEM_CREATE003"}

    text = document("sap_idoc", "inventory.moved.v1", MOVED, segment_names=names)["text"]

    assert "E2BP2017_GM_ITEM_CREATE003 " in text


@pytest.mark.parametrize("form", ["flat", "xml"])
@pytest.mark.parametrize(
    ("changes", "code", "place"),
    [
        ({"item": "A" * 19}, "field_too_long", "MATERIAL"),
        ({"to": {"storage": "00022"}}, "field_too_long", "MOVE_STLOC"),
        ({"quantity": {"value": "0.0005", "uom": "EA"}}, "quantity_inexact", "quantity"),
        ({"quantity": {"value": "10000000000", "uom": "EA"}}, "quantity_inexact", "quantity"),
        ({"to": {"storage": "0002", "stock_status": "blocked"}}, "movement_mixed", "to"),
    ],
)
def test_what_sap_would_cut_off_or_round_is_refused(changes: dict[str, Any], code: str, place: str, form: str) -> None:
    with pytest.raises(MappingError) as caught:
        document("sap_idoc", "inventory.moved.v1", {**MOVED, **changes}, form=form)

    assert (caught.value.code, caught.value.field) == (code, place)


def test_a_day_of_odata_is_the_plants_own() -> None:
    body = document("sap_odata", "inventory.moved.v1", MOVED)["post"]

    midnight = int(datetime(2026, 3, 3, tzinfo=UTC).timestamp()) * 1000
    assert body["PostingDate"] == f"/Date({midnight})/"


def test_a_header_text_fits_the_25_characters_of_sap_and_a_confirmation_the_40() -> None:
    moved = document("sap_odata", "inventory.moved.v1", MOVED)
    confirmed = document("sap_odata", "production.completed.v1", COMPLETED)["post"]

    assert moved["post"]["MaterialDocumentHeaderText"] == KEY[2:]
    assert moved["reversal"]["MaterialDocumentHeaderText"] == "{short_key}"
    assert confirmed["ConfirmationText"] == KEY


def test_a_confirmation_of_several_items_is_refused_and_their_movement_is_not() -> None:
    mixed = {**COMPLETED, "outputs": [LINE, {**LINE, "item": "B"}]}

    with pytest.raises(MappingError) as caught:
        document("sap_odata", "production.completed.v1", mixed)

    assert caught.value.code == "output_mixed"
    assert "post" in document("sap_odata", "production.completed.v1", mixed, completions="movement")


def test_a_target_with_crosswalks_is_told_its_own_units_storages_and_reasons() -> None:
    tables = {"units": {"EA": "PC"}, "storages": {"0001": "S001"}, "reasons": {"bent": "0003"}}
    event = Event("production.scrapped.v1", contract.validate("production.scrapped.v1", SCRAPPED))
    context = OutboundContext(PLANT, "sap", KEY, crosswalks=Crosswalks("sap", tables, tables))

    found = OUTBOUND["sap_odata", "production.scrapped.v1"].to_document(event, context)

    assert found is not None
    (item,) = found["post"]["to_MaterialDocumentItem"]["results"]
    assert (item["EntryUnit"], item["StorageLocation"], item["GoodsMovementReasonCode"]) == ("PC", "S001", "0003")
