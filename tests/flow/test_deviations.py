"""A body that departs from its own standard is taken and noted, or refused with its place, as the topology says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from config.topology import Topology
from config.topology_file import load_topology
from mappings.context import NOTED_MOST, Deviations
from tests.interop.house import House, open_house


def topology(conformance: str) -> Topology:
    packaged = load_topology(None)
    source = replace(packaged.sources["mes-p100"], conformance=conformance)  # type: ignore[arg-type]
    return replace(packaged, sources={**packaged.sources, source.code: source})


def notes(house: House, message_id: int) -> list[str]:
    with house.store.reading() as session:
        return [one.note or "" for one in session.query(TimelineEntry).filter_by(message_id=message_id)]


def send_with_mark(house: House) -> int:
    """A golden message with a byte order mark before it, which RFC 8259 does not allow."""
    path = next(Path("tests/golden/mes_json/mes.completion").glob("*/input.json"))
    body = b"\xef\xbb\xbf" + json.dumps(json.loads(path.read_text("utf-8"))).encode()
    answer = house.send("mes-p100", "m-1", "mes.completion", body)
    assert answer.status_code == 202, answer.text
    house.run()
    return int(answer.get_json()["id"])


@pytest.mark.parametrize(("conformance", "state"), [("lenient", "waiting"), ("strict", "dead")])
def test_what_departs_from_the_standard_is_taken_with_a_note_or_refused(
    store: Store, tmp_path: Path, conformance: str, state: str
) -> None:
    house = open_house(store, tmp_path, topology(conformance))

    message = send_with_mark(house)

    fate = house.fate(message)
    assert fate.state == state
    assert any("begins with a byte order mark" in note for note in notes(house, message))
    if state == "dead":
        assert (fate.code, fate.field) == ("json_mark", "byte 0")
        assert "conformance: lenient" in fate.reason


def test_deviations_beyond_the_bound_are_counted_and_not_kept() -> None:
    deviations = Deviations()

    for line in range(NOTED_MOST + 5):
        deviations.allow("odd", "this is odd", f"line {line}")

    assert len(deviations.noted) == NOTED_MOST
    assert deviations.told() is not None
    assert (deviations.told() or "").endswith(f"and {NOTED_MOST + 2} more.")
