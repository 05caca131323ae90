"""Both sides of a comparison do the same, and stored messages are gone through whole, in bounded steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

import mappings
from app.mapping_changes import stored_messages as pages
from app.mapping_changes.comparing import Today, outcome_now
from app.mapping_changes.released import ReleasedMappings, running_release
from app.mapping_changes.stored_messages import Chosen, StoredMessage, claimed_of, stored_messages
from app.mapping_changes.trying import Fault
from app.store.documents import StoredPayload
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology_file import load_topology
from mappings.registry import INBOUND
from tests.factories import NOON, accept, move_event

TOPOLOGY = load_topology(None)
TODAY = Today(TOPOLOGY)
SOURCES = {source.mapping: source for source in TOPOLOGY.sources.values()}
GOLDEN = Path(__file__).parents[1] / "golden"
MOVED = {"event_time": "2026-03-02T09:00:00Z", "item": "A", "quantity": {"value": 1.5, "uom": "EA"}}
MOVED |= {"from": {"storage": "F"}, "to": {"storage": "T"}}
EVENT = {"specversion": "1.0", "id": "1", "source": "erp", "type": "inventory.moved.v1", "data": MOVED}


@pytest.fixture(scope="module")
def release() -> Iterator[ReleasedMappings]:
    """This very code, as if it were the released one."""
    with running_release(Path(mappings.__file__).parents[1], TODAY) as running:
        yield running


def stored(family: str, kind: str, body: bytes, content_type: str = "application/json") -> StoredMessage:
    source = SOURCES[family]
    message = Message(id=1, plant=source.plants[0], source=source.code, source_message_id="m", type=kind)
    message.received_at, message.workers_lost = NOON, 0
    return StoredMessage(claimed_of(message), StoredPayload(content_type, body, {}), None, None)


@pytest.mark.parametrize(
    ("family", "kind", "path"),
    [
        pytest.param(family, kind, path, id=path.parent.name)
        for family, kind in INBOUND
        if family in SOURCES
        for path in sorted((GOLDEN / family / kind).glob("*/input.*"))
        if (path.parent / "expected.json").is_file()
    ],
)
def test_the_same_code_makes_the_same_of_a_message_on_both_sides(
    release: ReleasedMappings, family: str, kind: str, path: Path
) -> None:
    message = stored(family, kind, path.read_bytes())

    now = outcome_now(TODAY, message)

    assert not isinstance(now, Fault)
    assert release.outcome(message) == now


@pytest.mark.parametrize(
    ("family", "kind", "body", "content_type"),
    [
        ("mes_json", "mes.move", b'{"ts": ', "application/json"),
        ("mes_json", "mes.move", b'{"ts": "2026-02-03T09:15:00"}', "application/json"),
        ("mes_json", "mes.nonsense", b"{}", "application/json"),
        ("canonical", "inventory.moved.v1", json.dumps(MOVED).encode(), "application/json"),
        ("canonical", "inventory.moved.v1", json.dumps(EVENT).encode(), "application/cloudevents+json"),
        ("canonical", "inventory.moved.v1", b'{"specversion": "1.0"}', "application/cloudevents+json"),
    ],
)
def test_refusals_and_canonical_events_are_the_same_on_both_sides(
    release: ReleasedMappings, family: str, kind: str, body: bytes, content_type: str
) -> None:
    message = stored(family, kind, body, content_type)

    now, then = outcome_now(TODAY, message), release.outcome(message)

    if isinstance(now, Fault):
        assert isinstance(then, Fault)
        assert (then.code, then.field) == (now.code, now.field)
    else:
        assert then == now


def test_every_stored_message_comes_once_newest_first(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "WINDOW_IDS", 3)
    monkeypatch.setattr(pages, "PAYLOADS_MOST", 2)
    accept(store, *(move_event(f"old{number}") for number in range(2)), at=NOON - timedelta(days=9))
    new = accept(store, *(move_event(f"new{number}") for number in range(7)), at=NOON)

    found = list(stored_messages(store, Chosen(NOON - timedelta(days=7)), 100))

    assert [each.message.id for _, page in found for each in page] == sorted(new, reverse=True)
    assert max(len(page) for _, page in found) == 2
    assert [share for share, _ in found] == sorted(share for share, _ in found)


def test_no_more_than_the_limit_is_looked_at(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "WINDOW_IDS", 3)
    ids = accept(store, *(move_event(f"m{number}") for number in range(7)), at=NOON)

    found = [each.message.id for _, page in stored_messages(store, Chosen(NOON), 4) for each in page]

    assert found == sorted(ids, reverse=True)[:4]
