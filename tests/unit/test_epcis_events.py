"""EPCIS events become what they say, with a note where they depart from the standard, and are refused with the path
where they leave it open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Deviations, Event, InboundContext, MappingError, NothingToDo, PlantFacts
from mappings.formats import epcis
from mappings.inbound.epcis.document import to_canonical

WHEEL = "https://id.gs1.org/01/04012345444445"
SSCC = "https://id.gs1.org/00/040123450000000177"
HERE, THERE = "urn:epc:id:sgln:4012345.00001.0", "urn:epc:id:sgln:4012345.00002.0"
PLACES = {HERE: {"storage": "A"}, THERE: {"storage": "B"}}
ORDER = [{"type": "prodorder", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000016:1000451"}]
ADVICE = [{"type": "desadv", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000016:D1"}]


def event(**fields: Any) -> dict[str, Any]:
    base = {
        "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "type": "ObjectEvent",
        "eventTime": "2026-03-02T09:15:00+01:00",
        "eventTimeZoneOffset": "+01:00",
        "action": "OBSERVE",
        "bizStep": "storing",
        "quantityList": [{"epcClass": WHEEL, "quantity": 4}],
        "readPoint": {"id": HERE},
        "bizLocation": {"id": THERE},
    }
    return {name: value for name, value in {**base, **fields}.items() if value != "absent"}


def packing(parent: str, *children: str) -> dict[str, Any]:
    return event(
        type="AggregationEvent",
        action="ADD",
        bizStep="packing",
        parentID=parent,
        childEPCs=list(children),
        quantityList="absent",
    )


def document(*events: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    whole = {
        "@context": "https://ref.gs1.org/standards/epcis/epcis-context.jsonld",
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-03-02T09:16:00+01:00",
        "epcisBody": {"eventList": list(events)},
    }
    return {name: value for name, value in {**whole, **changes}.items() if value != "absent"}


def mapped(body: Any, deviations: Deviations | None = None, **options: Any) -> Sequence[Event]:
    deviations = deviations or Deviations()
    plant = PlantFacts("P100", "Assembly", "Europe/Berlin")
    asked = {"places": PLACES, **options}
    now = datetime(2026, 3, 3, tzinfo=UTC)
    context = InboundContext(plant, "epcis", "m-1", now, {"KGM": "KG"}, asked, deviations)
    events = to_canonical(epcis.read(json.dumps(body).encode(), deviations), context)
    if isinstance(events, NothingToDo):
        return events
    return [Event(one.type, contract.validate(one.type, one.data)) for one in events]


QUERY = {"queryResults": {"queryName": "q", "resultsBody": {"eventList": [event()]}}}


@pytest.mark.parametrize(
    ("body", "notes"),
    [
        (document(event()), []),
        (document(type="EPCISQueryDocument", epcisBody=QUERY), []),
        (event(), []),
        ([event(), event(eventTime="2026-03-02T09:15:00+02:00", eventTimeZoneOffset="+02:00")], []),
        (document(event(), **{"@context": "absent"}), ["context_missing"]),
        (document(event(), schemaVersion="absent", creationDate="absent"), ["version_unknown", "creation_missing"]),
        (document(epcisBody={"eventList": event()}), ["list_expected"]),
        (document(epcisBody="absent", eventList=[event()]), ["list_misplaced"]),
        (event(type="epcis:ObjectEvent"), ["type_form"]),
        (event(type="absent", isA="ObjectEvent"), ["type_form"]),
        (event(eventTime="2026-03-02T09:15:00"), ["offset_missing"]),
        (event(eventTime="2026-03-02 09:15+0100"), ["time_form"]),
        (event(eventTimeZoneOffset="absent"), ["offset_missing"]),
        (event(eventTimeZoneOffset="+02:00"), ["offset_disagrees"]),
        (event(recordTime="2026-03-02T08:14:59Z"), ["recorded_before"]),
        (event(recordTime="yesterday"), ["record_time_form"]),
        (event(action="absent"), ["action_missing"]),
        (event(disposition=None), ["field_null"]),
        (event(readPoint=HERE), ["point_form"]),
        (event(quantityList=[{"epcClass": WHEEL, "quantity": "4"}]), ["quantity_text"]),
        ([event(eventID="urn:uuid:1"), event(eventID="urn:uuid:1")], ["event_repeated"]),
        (event(quantityList={"epcClass": WHEEL, "quantity": 4}), ["list_expected"]),
        (event(quantityList=[{"epcClass": WHEEL, "quantity": 4, "weight": 5}]), ["field_unknown"]),
        (event(colour="red", ilmd={"materialType": "soil"}), ["field_unknown", "field_unknown"]),
        (event(**{"example:colour": "red", "ilmd": {"example:materialType": "soil"}}), []),
        (event(childEPCs=[]), ["field_unknown"]),
        (event(certificationInfo=42), ["certificate_form"]),
        (event(eventID="7", bizTransactionList=[{"type": "po", "bizTransaction": "8"}]), ["uri_expected"] * 2),
    ],
)
def test_what_departs_from_the_standard_is_understood_and_noted(body: Any, notes: list[str]) -> None:
    deviations = Deviations()

    first, *_ = mapped(body, deviations)

    assert first.data["event_time"] == "2026-03-02T08:15:00Z"
    assert (first.data["from"], first.data["to"]) == ({"storage": "A"}, {"storage": "B"})
    assert first.data["quantity"] == {"value": "4", "uom": "EA"}
    assert [note.code for note in deviations.noted] == notes


LIST = "epcisBody.eventList[1]"


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        ({"bizStep": "absent"}, "event_unsupported", f"{LIST}.bizStep"),
        ({"bizStep": "arriving"}, "event_unsupported", f"{LIST}.bizStep"),
        ({"bizStep": "https://example.com/soaking"}, "event_unsupported", f"{LIST}.bizStep"),
        ({"action": "CREATE"}, "payload_invalid", f"{LIST}.action"),
        ({"action": "DELETE"}, "event_unsupported", f"{LIST}.action"),
        ({"bizStep": "commissioning", "action": "ADD"}, "event_unsupported", f"{LIST}.bizTransactionList"),
        ({"bizStep": "shipping"}, "document_missing", f"{LIST}.bizTransactionList"),
        ({"bizStep": "inspecting"}, "event_unsupported", f"{LIST}.disposition"),
        ({"bizStep": "holding", "disposition": "conformant"}, "event_unsupported", f"{LIST}.disposition"),
        ({"eventTime": "22-07-2026"}, "time_invalid", f"{LIST}.eventTime"),
        ({"eventTime": "absent"}, "payload_invalid", f"{LIST}.eventTime"),
        ({"readPoint": "absent"}, "place_missing", f"{LIST}.sourceList"),
        ({"bizLocation": {"id": "urn:epc:id:sgln:4012345.00003.0"}}, "place_unknown", f"{LIST}.bizLocation.id"),
        ({"bizLocation": {"id": HERE}}, "place_same", f"{LIST}.bizLocation.id"),
        ({"quantityList": "absent"}, "goods_missing", f"{LIST}.epcList"),
        ({"quantityList": [{"epcClass": WHEEL}]}, "quantity_missing", f"{LIST}.quantityList[0].quantity"),
        (
            {"quantityList": [{"epcClass": WHEEL, "quantity": "twenty"}]},
            "quantity_invalid",
            f"{LIST}.quantityList[0].quantity",
        ),
        ({"quantityList": [{"epcClass": WHEEL, "quantity": 1.5}]}, "unit_missing", f"{LIST}.quantityList[0].quantity"),
        (
            {"quantityList": [{"epcClass": WHEEL, "quantity": 1.5, "uom": "LTR"}]},
            "unit_unknown",
            f"{LIST}.quantityList[0].uom",
        ),
        ({"epcList": [WHEEL]}, "instance_expected", f"{LIST}.epcList[0]"),
        ({"epcList": ["urn:acme:pallet:111"]}, "identifier_unsupported", f"{LIST}.epcList[0]"),
        ({"epcList": ["urn:epc:id:sgtin:4012345.1.1"]}, "identifier_invalid", f"{LIST}.epcList[0]"),
        ({"epcList": [SSCC]}, "package_unknown", f"{LIST}.epcList[0]"),
        ({"errorDeclaration": {"declarationTime": "2026-03-03T00:00:00Z"}}, "event_unsupported", f"{LIST}.eventID"),
        ({"eventID": "urn:uuid:0", "disposition": "unknown"}, "event_id_repeated", f"{LIST}.eventID"),
        ({"type": "QuantityEvent"}, "event_type_unknown", f"{LIST}.type"),
        (
            {"bizStep": "receiving", "bizTransactionList": [*ADVICE, {**ADVICE[0], "bizTransaction": "urn:a:bt:2"}]},
            "transaction_ambiguous",
            f"{LIST}.bizTransactionList",
        ),
    ],
)
def test_an_event_that_leaves_open_what_happened_is_refused_with_its_path(
    fields: dict[str, Any], code: str, place: str
) -> None:
    with pytest.raises(MappingError) as caught:
        mapped(document(event(eventID="urn:uuid:0"), event(**fields)))

    assert (caught.value.code, caught.value.field) == (code, place)
    assert any(word in caught.value.reason for word in ("requeue", "resubmit", "Have it sent", "discard"))


@pytest.mark.parametrize("body", [None, 7, "x", {}, [], {"type": "Invoice"}, document(), document(epcisBody="absent")])
def test_a_body_without_events_is_refused(body: Any) -> None:
    with pytest.raises(MappingError) as caught:
        mapped(body)

    assert caught.value.code in ("document_unknown", "events_missing", "event_type_unknown")


def test_a_document_that_departs_from_the_standard_is_refused_where_the_source_is_read_strictly() -> None:
    with pytest.raises(MappingError) as caught:
        mapped(document(event(eventTimeZoneOffset="+02:00")), Deviations(strict=True))

    assert caught.value.field == "epcisBody.eventList[0].eventTimeZoneOffset"


@pytest.mark.parametrize("step", ["arriving", "https://example.com/soaking"])
def test_a_step_is_passed_over_or_stands_for_another_where_the_topology_says_so(step: str) -> None:
    body = document(event(), event(bizStep=step))

    passed, stood = mapped(body, ignored_steps=[step]), mapped(body, steps={step: "storing"})

    assert (len(passed), len(stood)) == (1, 2)


def test_a_document_of_steps_that_are_passed_over_is_nothing_to_do() -> None:
    assert isinstance(mapped(document(event(bizStep="arriving")), ignored_steps=["arriving"]), NothingToDo)


def test_an_item_of_the_senders_own_is_what_the_topology_calls_it() -> None:
    items = {"urn:acme:item:*": "*", "urn:epc:id:giai:4000001.*": "PALLET", "4012345444445": "WHEEL-10"}
    own = [{"epcClass": "urn:acme:item:BELL", "quantity": 2}, {"epcClass": WHEEL, "quantity": 3}]

    found = mapped(event(epcList=["urn:epc:id:giai:4000001.111"], quantityList=own), items=items)

    assert [(one.data["item"], one.data["quantity"]["value"]) for one in found] == [
        ("PALLET", "1"),
        ("BELL", "2"),
        ("WHEEL-10", "3"),
    ]
    assert found[0].data["serials"] == ["111"]


def test_packages_within_packages_are_shipped_with_what_is_in_each_and_never_go_round_in_a_circle() -> None:
    inner = "https://id.gs1.org/00/140123450000000181"
    shipping = event(bizStep="shipping", epcList=[SSCC], quantityList="absent", bizTransactionList=ADVICE)

    (shipped,) = mapped(document(packing(SSCC, inner), packing(inner, f"{WHEEL}/21/7", SSCC), shipping))

    outer, inside = shipped.data["packages"]
    assert (outer["sscc"], "lines" in outer) == ("040123450000000177", False)
    assert [line["serials"] for line in inside["lines"]] == [["7"]]


def test_packing_that_nothing_else_names_is_refused() -> None:
    with pytest.raises(MappingError) as caught:
        mapped(document(event(), packing(SSCC, f"{WHEEL}/21/7")))

    assert caught.value.field == f"{LIST}.bizStep"


def test_a_document_cannot_unfold_into_more_lines_than_are_taken() -> None:
    """Each move names the same package again, and each time it would be unpacked anew."""
    children = [f"https://id.gs1.org/01/04012345444445/10/{number}/21/1" for number in range(1_000)]
    moves = [event(epcList=[SSCC], quantityList="absent") for _ in range(50)]

    with pytest.raises(MappingError) as caught:
        mapped(document(packing(SSCC, *children), *moves))

    assert caught.value.code == "too_many_lines"


def test_a_move_that_did_not_occur_goes_back_and_names_the_event() -> None:
    declared = {"declarationTime": "2026-03-03T00:00:00Z", "reason": "did_not_occur"}

    (undone,) = mapped(document(event(eventID="urn:uuid:1", errorDeclaration=declared)))

    assert (undone.data["from"], undone.data["to"]) == ({"storage": "B"}, {"storage": "A"})
    assert undone.data["event_time"] == "2026-03-03T00:00:00Z"
    assert undone.data["note"] == "Event urn:uuid:1 is declared wrong."
    assert "correction_of" not in undone.data


def test_completion_and_issue_share_the_transformations_own_id_where_it_has_one() -> None:
    transformation = event(
        type="TransformationEvent",
        action="absent",
        bizStep="commissioning",
        transformationID="urn:epc:id:gdti:0614141.12345.400",
        inputQuantityList=[{"epcClass": WHEEL, "quantity": 0.5, "uom": "KGM"}],
        outputEPCList=[f"{WHEEL}/21/1"],
        bizTransactionList=ORDER,
    )

    issued, completed = mapped(document(transformation))

    assert issued.data["transformation_id"] == completed.data["transformation_id"]
    assert completed.data["transformation_id"] == "urn:epc:id:gdti:0614141.12345.400"
    assert issued.data["components"][0]["quantity"] == {"value": "0.5", "uom": "KG"}


FROM_A_VENDOR = {"bizStep": "receiving", "bizTransactionList": [{"type": "inv", "bizTransaction": "urn:a:bt:R-7"}]}
HASHED = "ni:///sha-256;115b14983df54a9bcc3dd6a00dc4ebcab000bd52fda0abdd8996907e01dccc23?ver=CBV2.0"


@pytest.mark.parametrize(
    ("fields", "known_by"),
    [
        (FROM_A_VENDOR, {"type": "inv", "id": "R-7"}),
        ({"bizStep": "receiving", "eventID": "urn:uuid:1"}, {"type": "epcis_event", "id": "urn:uuid:1"}),
        ({"bizStep": "receiving", "eventID": HASHED}, {"type": "epcis_event", "id": HASHED[14:78]}),
        ({"bizStep": "receiving"}, {"type": "epcis_event", "id": "m-1"}),
    ],
)
def test_a_receipt_without_an_order_or_an_advice_is_known_by_what_else_it_names(
    fields: dict[str, Any], known_by: dict[str, str]
) -> None:
    (received,) = mapped(event(**fields), Deviations(strict=True))

    assert received.data["document_ref"] == known_by


USED_AND_MADE = {
    "type": "TransformationEvent",
    "bizStep": "absent",
    "action": "absent",
    "quantityList": "absent",
    "inputQuantityList": [{"epcClass": f"{WHEEL}/10/L1", "quantity": 4}],
    "outputQuantityList": [{"epcClass": f"{WHEEL}/10/L2", "quantity": 3}],
}


def test_what_is_used_and_made_without_an_order_changes_the_stock_unless_the_source_needs_one() -> None:
    used, made = mapped(event(**USED_AND_MADE), Deviations(strict=True))

    with pytest.raises(MappingError) as caught:
        mapped(event(**USED_AND_MADE), needs_order=True)

    assert (used.type, used.data["lot"], used.data["delta"]["value"]) == ("inventory.adjusted.v1", "L1", "-4")
    assert (made.type, made.data["lot"], made.data["delta"]["value"]) == ("inventory.adjusted.v1", "L2", "3")
    assert (used.data["location"]["storage"], made.data["location"]["storage"]) == ("A", "B")
    assert (caught.value.code, caught.value.field) == ("event_unsupported", "bizTransactionList")


def test_a_transformation_without_an_order_that_did_not_occur_is_taken_back() -> None:
    wrong = {"eventID": "urn:uuid:1", "errorDeclaration": {"declarationTime": "2026-03-03T00:00:00Z"}}

    back, gone = mapped(event(**USED_AND_MADE, **wrong))

    assert (back.data["delta"]["value"], gone.data["delta"]["value"]) == ("4", "-3")


ASSET = "urn:epc:id:giai:4000001.111"


@pytest.mark.parametrize(
    "fields",
    [
        {"epcList": [ASSET], "quantityList": "absent"},
        {"epcList": ["https://id.gs1.org/8003/04000001000005"], "quantityList": "absent"},
        {"type": "TransactionEvent", "epcList": [ASSET], "quantityList": "absent", "bizStep": "https://example.com/x"},
        {"bizStep": "inspecting", "disposition": "in_progress"},
    ],
)
def test_an_event_of_assets_or_of_an_inspection_that_goes_on_is_passed_over_and_the_rest_is_mapped(
    fields: dict[str, Any],
) -> None:
    deviations = Deviations(strict=True)

    alone, beside = mapped(event(**fields)), mapped(document(event(), event(**fields)), deviations)

    assert isinstance(alone, NothingToDo)
    assert [one.type for one in beside] == ["inventory.moved.v1"]
    assert "(epcisBody.eventList[1]" in (deviations.told() or "")


def test_assets_beside_goods_are_no_goods_unless_the_topology_lists_them_as_items() -> None:
    carried = event(epcList=[ASSET])

    (goods,), (rack, _) = mapped(carried), mapped(carried, items={"urn:epc:id:giai:4000001.*": "RACK"})

    assert goods.data["quantity"]["value"] == "4"
    assert (rack.data["item"], rack.data["serials"]) == ("RACK", ["111"])
