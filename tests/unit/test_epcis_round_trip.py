"""What is written for an EPCIS repository says the same when it is read back, and twice over is the same bytes."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Deviations, Event, InboundContext, MappingError, OutboundContext
from mappings.formats import epcis
from mappings.inbound.epcis.document import to_canonical
from mappings.registry import OUTBOUND
from mappings.units import to_base
from tests.contract.test_mappings import ITEMS, cases, outbound_context, plant

WRITTEN = [
    path
    for family, kind in OUTBOUND
    if family == "epcis"
    for path in cases(family, kind)
    if json.loads((path.parent / "expected.json").read_text("utf-8"))
]


def case_of(path: Path) -> tuple[Event, dict[str, Any]]:
    case = json.loads(path.read_text("utf-8"))
    return Event(case["type"], contract.validate(case["type"], case["data"])), case


def written(event: Event, options: dict[str, Any]) -> dict[str, Any]:
    document = OUTBOUND["epcis", event.type].to_document(event, outbound_context("epcis", {"options": options}))
    assert document is not None
    return dict(document)


def read_back(document: Any, options: dict[str, Any]) -> list[Event]:
    """By a source whose options are those of the target, turned round; strictly, since we keep to the standard."""
    deviations = Deviations(strict=True)
    turned = {
        "items": {code: item for item, code in options["items"].items()},
        "places": {
            code: dict(zip(("storage", "bin"), name.split("/"), strict=False))
            for name, code in options["places"].items()
        },
    }
    units = {code: unit for unit, code in options["units"].items()}
    now = datetime(2026, 3, 3, tzinfo=UTC)
    context = InboundContext(plant("P100"), "epcis", "m-1", now, units, turned, deviations)
    events = to_canonical(epcis.read(json.dumps(document).encode(), deviations), context)
    return [Event(one.type, contract.validate(one.type, one.data)) for one in events]


def amounts(*events: Event) -> Counter[tuple[str, str, str]]:
    """Base quantities by the field's own name and the item, whatever lines and events they stand in."""
    found: Counter[tuple[str, str, str]] = Counter()
    for event in events:
        for one in contract.quantities(event):
            value = to_base(one.quantity, ITEMS[one.item]).value
            found[event.type, one.place.rpartition(".")[2], one.item] += value  # type: ignore[assignment]
    return +found


def names(value: Any, field: str) -> list[Any]:
    """Every value of a field, at any depth."""
    if isinstance(value, dict):
        return [inner for key, below in value.items() for inner in ([below] if key == field else names(below, field))]
    return [inner for below in value for inner in names(below, field)] if isinstance(value, list) else []


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}-{path.parent.name}")
def test_what_is_written_is_read_back_with_the_same_amounts_lots_and_serials(path: Path) -> None:
    event, case = case_of(path)

    found = read_back(written(event, case["options"])["capture"], case["options"])

    if path.parent.name == "status_alone":
        assert [one.data["status"] for one in found] == ["blocked"]
        return
    assert {one.type for one in found} == {event.type}
    assert amounts(*found) == amounts(event) or not contract.quantities(event)
    for field in ("lot", "serials", "order_id", "delivery_id", "ship_from", "sscc", "from", "to", "event_time"):
        expected = {json.dumps(one) for one in names(dict(event.data), field)}
        assert {json.dumps(one) for back in found for one in names(dict(back.data), field)} == expected


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: f"{path.parts[-3]}-{path.parent.name}")
def test_a_reversal_declares_each_event_of_the_document_wrong_under_its_own_id(path: Path) -> None:
    event, case = case_of(path)
    document = written(event, case["options"])

    told = document["capture"]["epcisBody"]["eventList"]
    wrong = document["error_declaration"]["epcisBody"]["eventList"]

    assert [one.pop("errorDeclaration")["reason"] for one in wrong] == ["did_not_occur"] * len(told)
    assert wrong == told
    assert told[-1]["eventID"] == "urn:lineside:posting:LSABCDEFGHIJKLMNOPQRSTUVWX"
    assert len({one["eventID"] for one in told}) == len(told)


def moved(**fields: Any) -> Event:
    data = {
        "event_time": "2026-03-02T08:15:00Z",
        "item": "PAINT-1",
        "quantity": {"value": "4", "uom": "KG"},
        "from": {"storage": "A"},
        "to": {"storage": "B"},
    }
    return Event("inventory.moved.v1", contract.validate("inventory.moved.v1", data | fields))


OPTIONS: dict[str, Any] = {
    "items": {"PAINT-1": "4012345333336", "BIKE-100": "04012345222227"},
    "places": {"A": "4012345000016", "B": "https://acme.example/loc/b"},
    "units": {"KG": "KGM"},
}


@pytest.mark.parametrize("value", ["0.1", "123456.000000001", "999999999999999.5", "100000000000000000", "1e-9"])
def test_an_amount_keeps_every_digit_or_is_refused(value: str) -> None:
    event = moved(quantity={"value": value, "uom": "KG"})

    text = json.dumps(written(event, OPTIONS)["capture"])

    elements = json.loads(text, parse_float=Decimal)["epcisBody"]["eventList"][0]["quantityList"]
    assert [element["quantity"] for element in elements] == [Decimal(value)]


@pytest.mark.parametrize(
    ("fields", "options", "code", "told"),
    [
        ({"quantity": {"value": "123456789012345678.123456789", "uom": "KG"}}, {}, "quantity_inexact", "more digits"),
        ({"item": "SADDLE-20", "quantity": {"value": "1", "uom": "EA"}}, {}, "gtin_missing", "option items"),
        ({"serials": ["1"]}, {}, "serials_unclear", "each of which counts as one EA"),
        (
            {"item": "BIKE-100", "quantity": {"value": "1", "uom": "EA"}, "serials": ["1", "2"]},
            {},
            "serials_unclear",
            "1 EA of item BIKE-100 have 2 serial numbers",
        ),
        ({"to": {"storage": "C"}}, {}, "place_unknown", "storage C is no location"),
        ({}, {"units": {}, "count_uom": "KG"}, None, ""),
        ({}, {"units": {"KG": "kilo"}}, "unit_unknown", "UN/CEFACT Recommendation 20"),
        ({}, {"places": {"A": "4012345000017", "B": "x:y"}}, "option_invalid", "neither a GLN nor a URI"),
    ],
)
def test_what_epcis_cannot_say_is_refused_with_the_mend(
    fields: dict[str, Any], options: dict[str, Any], code: str | None, told: str
) -> None:
    context = OutboundContext(plant("P100"), "repository", "LSKEY", ITEMS, OPTIONS | options)
    if code is None:
        assert OUTBOUND["epcis", "inventory.moved.v1"].to_document(moved(**fields), context)
        return

    with pytest.raises(MappingError) as caught:
        OUTBOUND["epcis", "inventory.moved.v1"].to_document(moved(**fields), context)

    assert caught.value.code == code
    assert told in caught.value.reason


@pytest.mark.parametrize("path", [path for path in WRITTEN if path.parts[-3] == "inventory.adjusted.v1"], ids=str)
def test_an_adjustment_keeps_its_sign_its_reason_and_its_place(path: Path) -> None:
    event, case = case_of(path)

    (found,) = read_back(written(event, case["options"])["capture"], case["options"])

    told = ("item", "lot", "serials", "delta", "reason")
    assert {name: found.data.get(name) for name in told} == {name: event.data.get(name) for name in told}
    assert (found.data["location"]["storage"], found.data["location"]["bin"]) == ("P100-ST", "A-01")


def test_a_count_of_nothing_is_read_back_as_one() -> None:
    (path,) = (path for path in WRITTEN if path.parent.name == "nothing_there")
    event, case = case_of(path)

    (found,) = read_back(written(event, case["options"])["capture"], case["options"])

    assert found.data["counted"] == {"value": "0", "uom": "EA"}


@pytest.mark.parametrize("reason", [7, " ", "x" * 201])
def test_a_reason_that_is_no_text_of_a_reason_is_refused_with_its_place(reason: object) -> None:
    (path,) = (path for path in WRITTEN if path.parent.name == "less_of_a_lot")
    event, case = case_of(path)
    document = written(event, case["options"])["capture"]
    document["epcisBody"]["eventList"][0]["lineside:reason"] = reason

    with pytest.raises(MappingError) as caught:
        read_back(document, case["options"])

    assert caught.value.field == "epcisBody.eventList[0].lineside:reason"
