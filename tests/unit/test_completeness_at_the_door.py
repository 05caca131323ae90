"""A number is noted where a message comes in: of an event, of a vendor's payload, of a dropped row."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from app.store.source_notes import take_notes
from config.completeness import Completeness, Heartbeat, SequenceWatch
from config.topology import DropFile, Topology
from tests.factories import demo_topology
from tests.shop import make_shop
from tests.web import key_for, web_app

pytestmark = pytest.mark.slow

MOVE = {"item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}, "from": {"storage": "A"}, "to": {"storage": "B"}}


def watched(**owed: Any) -> Topology:
    topology = demo_topology()
    source = replace(topology.sources["mes"], completeness=Completeness(**owed))
    return replace(topology, sources={"mes": source})


def noted(store: Store) -> list[tuple[Any, ...]]:
    with store.writing() as session:
        return [(note.plant, note.series, note.kind, note.first, note.last) for note in take_notes(session)]


def event(number: int | None, message_id: str) -> dict[str, Any]:
    attributes = {"specversion": "1.0", "id": message_id, "source": "mes", "type": "inventory.moved.v1"}
    attributes |= {"plant": "P100", "time": "2026-03-02T09:00:00Z"}
    return {**attributes, "data": MOVE} | ({"sequence": str(number)} if number is not None else {})


def test_a_batch_is_noted_as_ranges_and_as_one_sign_of_life(sqlite_store: Store, tmp_path: Path) -> None:
    client = web_app(sqlite_store, tmp_path, watched(sequence=SequenceWatch(), heartbeat=Heartbeat(5))).test_client()
    headers = key_for(sqlite_store) | {"Content-Type": "application/cloudevents-batch+json"}
    batch = [event(number, f"e{index}") for index, number in enumerate([7, 5, 6, 9, None])]

    first, again = (client.post("/v1/messages", data=json.dumps(batch), headers=headers) for _ in range(2))

    heard = ("P100", "heartbeat", "heard", None, None)
    assert (first.status_code, again.status_code) == (202, 202)
    assert noted(sqlite_store) == [
        heard,
        ("P100", "sequence", "unnumbered", None, None),
        ("P100", "sequence", "seen", 5, 7),
        ("P100", "sequence", "seen", 9, 9),
        heard,
    ]


@pytest.mark.parametrize(("per", "plant"), [("plant", "P100"), ("source", "")])
def test_a_number_within_a_vendors_payload_is_found_by_its_path(
    sqlite_store: Store, tmp_path: Path, per: Any, plant: str
) -> None:
    topology = watched(sequence=SequenceWatch(field="head.0.nr", per=per))
    client = web_app(sqlite_store, tmp_path, topology).test_client()
    headers = key_for(sqlite_store) | {"Content-Type": "application/json", "Idempotency-Key": "v1"}

    answer = client.post(
        "/v1/messages?source=mes&type=vendor.kind&plant=P100", json={"head": [{"nr": "0012"}]}, headers=headers
    )

    assert answer.status_code == 202
    assert noted(sqlite_store) == [(plant, "sequence", "seen", 12, 12)]


XML = b"<?xml version='1.0'?><b:Sync xmlns:b='urn:b'><b:Area><b:No> 0012 </b:No><b:No>13</b:No></b:Area></b:Sync>"


def test_a_number_within_an_xml_payload_is_found_by_the_names_of_its_elements(
    sqlite_store: Store, tmp_path: Path
) -> None:
    client = web_app(sqlite_store, tmp_path, watched(sequence=SequenceWatch(field="Area.No"))).test_client()
    headers = key_for(sqlite_store) | {"Content-Type": "text/xml", "Idempotency-Key": "v1"}

    answer = client.post("/v1/messages?source=mes&type=vendor.kind&plant=P100", data=XML, headers=headers)

    assert answer.status_code == 202
    assert noted(sqlite_store) == [("P100", "sequence", "seen", 12, 12)]


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (XML, ("seen", 12, 12)),
        (b"<a><Area/></a>", ("unnumbered", None, None)),
        (b"<a", ("unnumbered", None, None)),
        (b'{"Area": {"No": 12}}', ("seen", 12, 12)),
        (b'{"Area"', ("unnumbered", None, None)),
    ],
)
def test_a_number_in_a_dropped_document_is_noted(
    sqlite_store: Store, tmp_path: Path, body: bytes, note: tuple[Any, ...]
) -> None:
    shop = make_shop(sqlite_store, tmp_path, [DropFile("A*.xml", "legacy.a", "document", {})])
    owed = Completeness(sequence=SequenceWatch(field="Area.No"))
    folder = replace(shop.folder, source=replace(shop.folder.source, completeness=owed))

    shop.drop("A1.xml", body)
    replace(shop.watcher, folders=(folder,)).look()

    assert noted(sqlite_store) == [("P300", "sequence", *note)]


def test_a_number_in_a_column_of_a_dropped_row_is_noted(sqlite_store: Store, tmp_path: Path) -> None:
    options = {"delimiter": ";", "columns": ["no", "item"], "id": ["no"]}
    shop = make_shop(sqlite_store, tmp_path, [DropFile("A*.csv", "legacy.a", "csv", options)])
    owed = Completeness(sequence=SequenceWatch(field="no"))
    folder = replace(shop.folder, source=replace(shop.folder.source, completeness=owed))

    shop.drop("A1.csv", "no;item\n0003;A\n0004;B\n")
    replace(shop.watcher, folders=(folder,)).look()

    assert noted(sqlite_store) == [("P300", "sequence", "seen", 3, 4)]


def test_a_source_that_is_not_watched_costs_no_note(sqlite_store: Store, tmp_path: Path) -> None:
    client = web_app(sqlite_store, tmp_path).test_client()
    headers = key_for(sqlite_store) | {"Content-Type": "application/cloudevents+json"}

    client.post("/v1/messages", data=json.dumps(event(1, "e1")), headers=headers)

    assert noted(sqlite_store) == []
