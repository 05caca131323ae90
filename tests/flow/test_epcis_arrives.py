"""EPCIS events are posted however they travel: as a body of their own, as a CloudEvent, or in a dropped file."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from config.topology import DropFile, Topology
from config.topology_file import load_topology
from mappings.formats.documents import MAX_DOCUMENT_BYTES
from tests.interop.house import BATCH, House, open_house

pytestmark = pytest.mark.slow

TYPE = "epcis.EPCISDocument"
SOURCE = "mes-p100"
LINK = "https://id.gs1.org/01/04012345222227"
DOCUMENT: dict[str, Any] = {
    "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
    "type": "EPCISDocument",
    "schemaVersion": "2.0",
    "creationDate": "2026-03-01T10:00:00Z",
    "epcisBody": {
        "eventList": [
            {
                "type": "ObjectEvent",
                "eventTime": "2026-03-01T10:00:00+01:00",
                "eventTimeZoneOffset": "+01:00",
                "action": "ADD",
                "bizStep": "commissioning",
                "epcList": [f"{LINK}/21/1", f"{LINK}/21/2"],
                "quantityList": [{"epcClass": LINK, "quantity": 12.5, "uom": "KGM"}],
                "bizTransactionList": [
                    {"type": "prodorder", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000016:1000451"}
                ],
            }
        ]
    },
}
BODY = json.dumps(DOCUMENT).encode()


def topology(**changes: Any) -> Topology:
    """The packaged one, whose plant P100 reports in EPCIS."""
    packaged = load_topology(None)
    options = {"items": {"04012345222227": "BIKE-100"}}
    source = replace(packaged.sources[SOURCE], mapping="epcis", units={"KGM": "EA"}, options=options, **changes)
    return replace(packaged, sources={**packaged.sources, SOURCE: source})


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    return open_house(sqlite_store, tmp_path, topology())


def outputs(house: House, message: int) -> list[tuple[str, str]]:
    house.run()
    assert house.fate(message).state == "posted", house.fate(message)
    (event,) = house.events(message)
    return [(line["item"], line["quantity"]["value"]) for line in event["data"]["outputs"]]


EXPECTED = [("BIKE-100", "2"), ("BIKE-100", "12.5")]


def test_a_document_as_a_body_of_its_own_is_posted(house: House) -> None:
    house.release("P100", "1000451")

    answer = house.send(SOURCE, "doc-1", TYPE, BODY)

    assert outputs(house, answer.get_json()["id"]) == EXPECTED


def cloud_events() -> dict[str, tuple[bytes, dict[str, str]]]:
    """The document in each mode of CloudEvents 1.0 (HTTP binding, section 3; JSON format, sections 3.1 and 4)."""
    found: dict[str, tuple[bytes, dict[str, str]]] = {}
    event = {"specversion": "1.0", "source": SOURCE, "type": TYPE, "plant": "P100"}
    encoded = base64.b64encode(BODY).decode()
    for mode, data in {"structured": {"data": DOCUMENT}, "base64": {"data_base64": encoded}}.items():
        whole = json.dumps(event | {"id": mode} | data).encode()
        found[mode] = (whole, {"Content-Type": "application/cloudevents+json"})
    batch = json.dumps([event | {"id": "batch", "data": DOCUMENT}]).encode()
    found["batch"] = (batch, {"Content-Type": BATCH})
    attributes = {f"ce-{name}": value for name, value in (event | {"id": "binary"}).items()}
    found["binary"] = (BODY, attributes | {"Content-Type": "application/json"})
    return found


def test_a_document_is_posted_in_whatever_mode_of_cloud_events_it_travels(house: House) -> None:
    house.release("P100", "1000451")

    answers = {mode: house.post(SOURCE, body, headers).get_json() for mode, (body, headers) in cloud_events().items()}

    told = {mode: answer.get("results", [answer])[0]["id"] for mode, answer in answers.items()}
    assert {mode: outputs(house, message) for mode, message in told.items()} == dict.fromkeys(told, EXPECTED)
    assert len(set(told.values())) == 4


def test_a_document_in_a_dropped_file_is_posted_and_kept_as_it_stood(sqlite_store: Store, tmp_path: Path) -> None:
    house = open_house(sqlite_store, tmp_path, topology(intake="drop", files=(DropFile("*.json", TYPE, "document"),)))
    house.release("P100", "1000451")

    house.drop(SOURCE, "capture-1.json", BODY)

    assert outputs(house, 2) == EXPECTED
    assert house.kept(2) == BODY


def test_what_cannot_be_posted_is_dead_with_the_path_and_the_mend(house: House) -> None:
    unknown = json.dumps(DOCUMENT).replace('"commissioning"', '"https://acme.example/step/made"').encode()

    fate = house.fate_of(house.send(SOURCE, "doc-1", TYPE, unknown))

    assert (fate.state, fate.code, fate.field) == ("dead", "event_unsupported", "epcisBody.eventList[0].bizStep")
    assert "in the source's option steps" in fate.reason


def test_what_a_plant_reports_in_epcis_goes_to_a_repository_in_epcis(sqlite_store: Store, tmp_path: Path) -> None:
    asked = topology()
    options = {"items": {"BIKE-100": "04012345222227"}, "count_uom": "EA"}
    repository = replace(asked.targets["planning"], mapping="epcis", mapping_options=options)
    house = open_house(sqlite_store, tmp_path, replace(asked, targets={**asked.targets, "planning": repository}))
    house.release("P100", "1000451")
    body = BODY.replace(b"12.5", b"12")

    fate = house.fate_of(house.send(SOURCE, "doc-1", TYPE, body))

    (document,) = house.books["planning"].documents
    (event,) = document["capture"]["epcisBody"]["eventList"]
    assert fate.state == "posted"
    assert event["outputEPCList"] == [f"{LINK}/21/1", f"{LINK}/21/2"]
    assert event["outputQuantityList"] == [{"epcClass": LINK, "quantity": 12}]
    assert event["eventID"].startswith("urn:lineside:posting:LS")


MANY = 5


def long_document(*, own_ids: bool, bad: int | None = None) -> bytes:
    """``bad``: the number of an event that is too large."""
    (event,) = DOCUMENT["epcisBody"]["eventList"]
    events: list[Any] = []
    for number in range(1, MANY + 1):
        own = {"eventID": f"urn:uuid:{number}"} if own_ids else {}
        large = {"note": "x" * MAX_DOCUMENT_BYTES} if number == bad else {}
        events.append({**event, **own, **large, "epcList": [f"{LINK}/21/{number}"]})
    return json.dumps({**DOCUMENT, "epcisBody": {"eventList": events}}).encode()


@pytest.fixture
def _few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.api.long_documents.EVENT_BOUND", MANY - 1)
    monkeypatch.setattr("app.api.messages.PER_COMMIT", 2)


@pytest.mark.usefixtures("_few_are_many")
@pytest.mark.parametrize("own_ids", [True, False], ids=["events with ids", "events without"])
def test_a_document_of_more_events_than_a_message_may_have_is_taken_event_by_event(house: House, own_ids: bool) -> None:
    house.release("P100", "1000451")
    body = long_document(own_ids=own_ids)

    answer, again = (house.send(SOURCE, "doc-1", TYPE, body) for _ in range(2))

    results, repeats = answer.get_json()["results"], again.get_json()["results"]
    assert (answer.status_code, again.status_code) == (202, 202)
    assert [result["index"] for result in results] == list(range(MANY))
    assert {result["status"] for result in results} == {"accepted"}
    assert {result["status"] for result in repeats} == {"repeat"}
    assert [result["id"] for result in repeats] == [result["id"] for result in results]
    assert results[2]["source_message_id"] == ("urn:uuid:3" if own_ids else "doc-1#3")
    for number, result in enumerate(results, start=1):
        house.run()
        assert house.fate(result["id"]).state == "posted"
        (event,) = house.events(result["id"])
        assert [line["serials"] for line in event["data"]["outputs"] if line.get("serials")] == [[str(number)]]


@pytest.mark.usefixtures("_few_are_many")
def test_an_event_of_a_long_document_that_cannot_be_taken_is_told_and_fails_no_other(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mappings.formats.epcis_files.MAX_DOCUMENT_BYTES", 2_000)
    monkeypatch.setattr("tests.flow.test_epcis_arrives.MAX_DOCUMENT_BYTES", 2_000)
    house = open_house(sqlite_store, tmp_path, topology())

    answer = house.send(SOURCE, "doc-1", TYPE, long_document(own_ids=True, bad=3))

    results = answer.get_json()["results"]
    assert answer.status_code == 207
    assert [result["status"] for result in results] == ["accepted", "accepted", "refused", "accepted", "accepted"]
    assert "Event 3: the event is larger than 2,000 bytes" in results[2]["problem"]["detail"]


@pytest.mark.usefixtures("_few_are_many")
def test_a_long_document_that_its_source_may_not_send_is_refused_as_a_whole(house: House) -> None:
    headers = {"Idempotency-Key": "d", "Content-Type": "application/json"}

    answer = house.post(SOURCE, long_document(own_ids=True), headers, source="wms-p100", type=TYPE, plant="P100")

    assert (answer.status_code, answer.get_json()["type"]) == (422, "urn:lineside:problem:refused")
    assert house.send(SOURCE, "d", TYPE, BODY).status_code == 202


@pytest.mark.usefixtures("_few_are_many")
def test_a_long_document_that_the_sources_mapping_does_not_know_stays_one_message(
    sqlite_store: Store, tmp_path: Path
) -> None:
    packaged = load_topology(None)
    assert packaged.sources[SOURCE].mapping != "epcis"

    answer = open_house(sqlite_store, tmp_path, packaged).send(SOURCE, "d", TYPE, long_document(own_ids=True))

    assert (answer.status_code, answer.get_json()["source_message_id"]) == (202, "d")
