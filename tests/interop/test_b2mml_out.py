"""What Lineside writes as B2MML is valid by the published schema of each version, and is read back as what it was."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.adapters.file_contents import contents_of
from mappings.canonical import contract
from mappings.context import Crosswalks, Deviations, Event, OutboundContext
from mappings.outbound.b2mml.document import VERSION_CODES
from mappings.registry import INBOUND, OUTBOUND
from tests.contract.test_mappings import inbound_context, outbound_context
from tests.interop.b2mml_schemas import faults_of

GOLDEN = Path(__file__).parent.parent / "golden" / "b2mml"
CASES = sorted(GOLDEN.glob("*/*/input.json"))
UNITS = {"EA": "EA", "KG": "KG"}


def written(path: Path, version: str, **changes: Any) -> tuple[Event, dict[str, str]]:
    case = json.loads(path.read_text("utf-8"))
    event = Event(case["type"], contract.validate(case["type"], case["data"] | changes))
    context: OutboundContext = outbound_context("b2mml", case | {"options": {"version": version}})
    document = OUTBOUND["b2mml", event.type].to_document(event, context)
    assert document is not None
    return event, dict(document)


def read_back(text: str) -> list[Event]:
    noun = "Schedule" if "Schedule" in text else "Performance"
    mapping = INBOUND["mes_b2mml", f"b2mml.Operations{noun}"]
    context = replace(inbound_context("mes_b2mml"), units=UNITS)
    return list(mapping.to_canonical(mapping.read(text.encode(), Deviations(strict=True)), context))


@pytest.mark.parametrize("version", VERSION_CODES)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_a_document_and_what_undoes_it_are_valid_by_the_schema_of_their_version(path: Path, version: str) -> None:
    _, document = written(path, version)

    assert faults_of(document["text"].encode()) == []
    assert faults_of(document["reversal_text"].encode()) == []
    assert "<Cancel" in document["reversal_text"]


@pytest.mark.parametrize("version", VERSION_CODES)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.parent.name)
def test_a_document_is_read_back_as_the_event_that_it_was_written_for(path: Path, version: str) -> None:
    event, document = written(path, version)

    (again,) = read_back(document["text"])

    assert again.type == event.type
    assert told(again) == told(event)


def told(event: Event) -> dict[str, Any]:
    """The event as B2MML says it: the amount in base units, the site always, the link to its issue made anew."""
    data = json.loads(json.dumps(event.data))
    if data.get("quantity", {}).get("uom") == "BOX":
        data["quantity"] = {"value": str(10 * int(data["quantity"]["value"])), "uom": "EA"}
    if data.get("segments") == [{"id": data["order_id"]}]:
        del data["segments"]
    data["location"] = {"site": "P200"} | data.get("location", {})
    return {name: value for name, value in data.items() if name != "transformation_id"}


@pytest.mark.parametrize("version", VERSION_CODES)
def test_a_final_report_without_outputs_closes_the_order(version: str) -> None:
    (path,) = (GOLDEN / "production.completed.v1").glob("*/input.json")
    _, document = written(path, version, outputs=[])

    (again,) = read_back(document["text"])

    assert faults_of(document["text"].encode()) == []
    assert (again.data["outputs"], again.data["final"]) == ([], True)


def test_storages_and_reasons_are_written_as_the_target_calls_them() -> None:
    (path,) = (GOLDEN / "production.scrapped.v1").glob("*/input.json")
    case = json.loads(path.read_text("utf-8"))
    tables = {"storages": {"P200-WIP": "S-77"}, "reasons": {"CRACKED-SEAM": "R-12"}}
    context = replace(outbound_context("b2mml", case), crosswalks=Crosswalks("mes", tuple(tables), tables))

    document = OUTBOUND["b2mml", case["type"]].to_document(Event(case["type"], case["data"]), context)

    assert document is not None
    assert "<EquipmentID>S-77</EquipmentID>" in document["text"]
    assert "<ValueString>R-12</ValueString>" in document["text"]


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "cp1252"])
def test_a_text_says_the_same_in_whatever_encoding_its_file_is_written(encoding: str) -> None:
    (path,) = (GOLDEN / "production.order.released.v1").glob("v0401*/input.json")
    event, document = written(path, "V0401")

    body = contents_of(document, {"format": "text", "encoding": encoding}).data

    assert told(read_back(body.decode("utf-8"))[0])["segments"] == event.data["segments"]
