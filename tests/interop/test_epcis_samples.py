"""EPCIS 2.0 documents and events as OpenEPCIS publishes them, read where they lie.

What is expected is counted in the text of each file by patterns, never by the product's own reader.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from mappings.canonical import contract
from mappings.context import Deviations, Event, InboundContext, MappingError, NothingToDo, PlantFacts
from mappings.formats import epcis
from mappings.inbound.epcis.document import to_canonical
from tests.interop.samples import sample, samples

FOLDER = "epcis/openepcis"
LIST = "epcisBody.eventList"
MAPPED = [
    "Documents/ObjectEvent.json",
    "Documents/CurieString_document.json",
    "Documents/ObjectEvent_with_persistentDisposition.json",
    "Events/ObjectEvent.json",
]
BY_AMOUNT = {
    "Documents/AggregationEvent.json": {"receipt.recorded.v1": "212.5"},
    "Documents/AssociationEvent.json": {"inventory.adjusted.v1": "-4"},
    "Documents/ObjectEvent_with_digitalLink.json": {"receipt.recorded.v1": "200"},
    "Documents/TransformationEvent.json": {"inventory.adjusted.v1": "-258"},
}
OF_ASSETS_ALONE = ["Documents/TransactionEvent.json"]
REFUSED = {
    "Documents/ObjectEvent_with_error_declaration.json": ("event_unsupported", f"{LIST}[0].errorDeclaration"),
    "Documents/TransformationEvent_all_possible_fields.json": ("event_unsupported", f"{LIST}[0].errorDeclaration"),
    "Events/TransformationEvent.json": ("quantity_missing", "inputQuantityList[0].quantity"),
    "Invalid/EPCISDocument_without_context.json": ("event_unsupported", f"{LIST}[0].bizStep"),
    "Invalid/ObjectEvent_with_invalid_action.json": ("payload_invalid", f"{LIST}[0].action"),
    "Invalid/ObjectEvent_with_invalid_eventTime_format.json": ("time_invalid", f"{LIST}[0].eventTime"),
    "Invalid/ObjectEvent_with_quantity_as_text.json": (
        "quantity_invalid",
        f"{LIST}[0].quantityList[0].quantity",
    ),
}


def mapped(body: bytes, *, strict: bool = False) -> list[Event]:
    deviations = Deviations(strict=strict)
    plant, now = PlantFacts("P100", "Assembly", "Europe/Berlin"), datetime(2026, 1, 1, tzinfo=UTC)
    context = InboundContext(plant, "epcis", "m-1", now, {}, {}, deviations)
    events = to_canonical(epcis.read(body, deviations), context)
    if isinstance(events, NothingToDo):
        return list(events)
    return [Event(one.type, contract.validate(one.type, one.data)) for one in events]


def body_of(name: str) -> bytes:
    return sample(f"{FOLDER}/{name}").read_bytes()


def lines(events: list[Event]) -> list[dict[str, Any]]:
    """Every line of items, whatever its event calls the list and the amount."""
    found: list[dict[str, Any]] = []
    for event in events:
        own = [event.data] if "item" in event.data else []
        within = [line for name in ("lines", "outputs", "components") for line in event.data.get(name, ())]
        found += [*own, *within]
    return [{**line, "quantity": line.get("quantity") or line["received"]} for line in found]


def gtin(prefix: str, reference: str) -> str:
    """The GTIN behind a company prefix and an item reference, its check digit found by trying all ten."""
    digits = reference[0] + prefix + reference[1:]
    fits = [
        last for last in range(10) if (sum(int(one) * (3, 1)[at % 2] for at, one in enumerate(digits)) + last) % 10 == 0
    ]
    return f"{digits}{fits[0]}"


def test_every_sample_is_expected_to_be_mapped_or_refused() -> None:
    root: Path = sample(FOLDER)

    names = {path.relative_to(root).as_posix() for path in samples(FOLDER, "*.json")}

    assert names == {*MAPPED, *BY_AMOUNT, *OF_ASSETS_ALONE, *REFUSED}


@pytest.mark.parametrize("name", MAPPED)
@pytest.mark.parametrize("strict", [False, True])
def test_a_sample_is_mapped_with_every_instance_that_it_names(name: str, strict: bool) -> None:
    body = body_of(name)
    document = json.loads(body)
    events = document["epcisBody"]["eventList"] if "epcisBody" in document else [document]
    told = " ".join(json.dumps(event) for event in events if event["bizStep"] != "inspecting")
    expected = Counter((gtin(*found[:2]), found[2]) for found in re.findall(r"sgtin:(\d+)\.(\d+)\.(\w+)", told))
    expected += Counter(re.findall(r"/01/(\d{14})/21/([\w-]+)", told))

    found = lines(mapped(body, strict=strict))

    assert Counter((line["item"], serial) for line in found for serial in line["serials"]) == expected
    assert sum(Decimal(line["quantity"]["value"]) for line in found) == expected.total() > 0


@pytest.mark.parametrize(("name", "amounts"), BY_AMOUNT.items())
@pytest.mark.parametrize("strict", [False, True])
def test_a_sample_that_names_no_document_is_mapped_with_all_its_amounts(
    name: str, amounts: dict[str, str], *, strict: bool
) -> None:
    """The sums are added up by hand from the files: receipts as they came, and what was made less what was used."""
    found: dict[str, Decimal] = {}
    for event in mapped(body_of(name), strict=strict):
        amount = event.data.get("received") or event.data["delta"]
        found[event.type] = found.get(event.type, Decimal(0)) + Decimal(amount["value"])

    assert found == {kind: Decimal(total) for kind, total in amounts.items()}


@pytest.mark.parametrize("name", OF_ASSETS_ALONE)
@pytest.mark.parametrize("strict", [False, True])
def test_a_sample_of_assets_alone_is_passed_over_since_no_stock_is_kept_of_them(name: str, *, strict: bool) -> None:
    assert mapped(body_of(name), strict=strict) == []


@pytest.mark.parametrize(("name", "refusal"), REFUSED.items())
def test_a_sample_that_cannot_be_posted_is_refused_with_its_place(name: str, refusal: tuple[str, str]) -> None:
    with pytest.raises(MappingError) as caught:
        mapped(body_of(name))

    assert (caught.value.code, caught.value.field) == refusal


def test_a_document_without_its_context_is_refused_where_the_source_is_read_strictly() -> None:
    with pytest.raises(MappingError) as caught:
        mapped(body_of("Invalid/EPCISDocument_without_context.json"), strict=True)

    assert (caught.value.code, caught.value.field) == ("context_missing", "@context")


def test_a_transformation_is_mapped_once_it_names_its_order() -> None:
    """The quantities by item are those of the file's own text, in whatever list they stand."""
    body = body_of("Documents/TransformationEvent.json")
    order = b'"bizTransactionList": [{"type": "prodorder", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000016:77"}],'
    text = body.decode()
    expected = Counter[str]()
    for prefix, reference in re.findall(r"id:sgtin:(\d+)\.(\d+)\.\d+", text):
        expected[gtin(prefix, reference)] += 1
    for prefix, reference, amount in re.findall(r'class:lgtin:(\d+)\.(\d+)\.\d+",\s*"quantity": (\d+)', text):
        expected[gtin(prefix, reference)] += int(amount)
    for prefix, reference, amount in re.findall(r'idpat:sgtin:(\d+)\.(\d+)\.\*",\s*"quantity": (\d+)', text):
        expected[gtin(prefix, reference)] += int(amount)

    events = mapped(body.replace(b'"bizStep"', order + b'"bizStep"', 1))

    found = Counter[str]()
    for line in lines(events):
        found[line["item"]] += int(line["quantity"]["value"])
    assert [event.type for event in events] == ["material.issued.v1", "production.completed.v1"]
    assert {event.data["order_id"] for event in events} == {"77"}
    assert found == expected
    assert len(expected) == 6


@pytest.mark.parametrize("name", ["Documents/CurieString_document.json", "Events/ObjectEvent.json"])
def test_a_sample_that_is_cut_off_is_refused(name: str) -> None:
    body = body_of(name).rstrip()

    for end in range(0, len(body), 7):
        with pytest.raises(MappingError):
            mapped(body[:end])
