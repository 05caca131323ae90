"""A dropped file of EPCIS events becomes a message for each, of whatever kind; a bad one stands by itself, and an event
that comes again in another file is not taken twice."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from config.topology import DropFile
from config.topology_file import load_topology
from tests.interop.house import House, open_house

pytestmark = pytest.mark.slow

GOLDEN = Path(__file__).parent.parent / "golden" / "epcis" / "epcis.EPCISDocument"
OPTIONS = json.loads((GOLDEN.parent / "context.json").read_text("utf-8"))["options"]


@pytest.fixture
def house(sqlite_store: Store, tmp_path: Path) -> House:
    topology = load_topology(None)
    kind = DropFile("*.json", "epcis.Event", "epcis")
    source = replace(
        topology.sources["legacy-p300"], code="line", mapping="epcis", files=(kind,), units={}, options=OPTIONS
    )
    return open_house(sqlite_store, tmp_path, replace(topology, sources={**topology.sources, "line": source}))


def events_of(case: str) -> list[dict[str, Any]]:
    document = json.loads((GOLDEN / case / "input.json").read_text("utf-8"))
    return list(document["epcisBody"]["eventList"])


def document(*events: Any) -> bytes:
    whole = json.loads((GOLDEN / "moved_counted_judged" / "input.json").read_text("utf-8"))
    return json.dumps({**whole, "epcisBody": {"eventList": list(events)}}).encode()


def test_object_and_transformation_events_of_one_file_are_messages_and_a_bad_one_stops_no_other(house: House) -> None:
    transformation, moved = events_of("transformation_of_an_order")[0], events_of("moved_counted_judged")[0]
    bad = {**moved, "eventID": "urn:uuid:bad", "bizStep": "arriving"}

    house.drop("line", "shift.json", document(bad, transformation, moved))
    house.run()

    fates = house.fates()
    assert [fate.code == "event_unsupported" for fate in fates] == [True, False, False]
    assert "dead" not in {fate.state for fate in fates[1:]}
    assert fates[0].field == "epcisBody.eventList[0].bizStep"
    kinds = [event["type"] for event in house.events(2, 3)]
    assert {"material.issued.v1", "inventory.moved.v1"} <= set(kinds)


def test_more_events_than_one_message_may_hold_are_each_taken_once(house: House) -> None:
    (moved, *_) = events_of("moved_counted_judged")
    events = [{**moved, "eventID": f"urn:uuid:{number}"} for number in range(2_100)]

    house.drop("line", "year.json", document(*events))
    house.drop("line", "again.json", document(*events[-3:], {**moved, "eventID": "urn:uuid:new"}))

    assert len(house.fates()) == 2_101
    assert not (house.settings.drop_dir / "line" / "archive" / "again.json.errors.csv").exists()


def test_an_event_that_comes_again_with_other_content_stands_in_the_errors(house: House) -> None:
    (moved, *_) = events_of("moved_counted_judged")

    house.drop("line", "one.json", document({**moved, "eventID": "urn:uuid:1"}))
    house.drop("line", "two.json", document({**moved, "eventID": "urn:uuid:1", "disposition": "in_transit"}))

    assert "message 1 came before under the same id" in house.dropped("line", "archive", "two.json.errors.csv")
    assert len(house.fates()) == 1


def test_a_file_that_is_cut_off_is_not_taken_at_all(house: House) -> None:
    house.drop("line", "half.json", document(*events_of("moved_counted_judged"))[:-30])

    assert "was it cut off" in house.dropped("line", "failed", "half.json.error.txt")
    assert house.fates() == []
