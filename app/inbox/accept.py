"""Take messages in: each is stored once, a repeat is recognised, a conflict is told to the sender."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.inbox.order import sequence_rank
from app.inbox.sightings import Sighting, note_sightings
from app.inbox.states import State, Step, record_changes
from app.store.base import table_of
from app.store.key_sets import among
from app.store.messages_tables import Message, Payload, TimelineEntry
from app.store.prepared import Prepared

MAX_ID_LENGTH = 200
INSERT_CHUNK = 500


@dataclass(frozen=True)
class Incoming:
    """One message as it came. ``digest`` tells a repeat from a conflict: equal content, equal digest.

    ``ordering_key`` and ``sequence`` are the sender's own (CloudEvents ``partitionkey``, ``sequence``), where given.
    ``note`` says in the timeline how it came, where no sender sent it. ``sighting``: what it says about whether all of
    its source came, where that is watched.
    """

    plant: str
    source: str
    source_message_id: str
    type: str
    content_type: str
    body: bytes
    digest: str
    attributes: Mapping[str, Any] | None = None
    ordering_key: str | None = None
    sequence: str | None = None
    traceparent: str | None = None
    file_id: int | None = None
    row_number: int | None = None
    note: str | None = None
    sighting: Sighting | None = None


@dataclass(frozen=True)
class Acceptance:
    """``repeat``: the same content came before, and ``id`` is the first one's. ``conflict``: other content came before
    under this source's message id, and ``id`` is that message's. ``state``: what that message is by now; a repeat of
    one that is dead, discarded or requeued changes nothing of it."""

    status: Literal["accepted", "repeat", "conflict"]
    id: int
    state: State = State.RECEIVED


def _insert_ignoring_known(build: Any) -> Any:
    messages = table_of(Message)
    statement = build(messages).on_conflict_do_nothing(index_elements=["source", "source_message_id"])
    return statement.returning(messages.c.id, messages.c.source, messages.c.source_message_id)


# Made once: a message that comes alone would pay more for the making than for being stored.
_INSERT = {"sqlite": _insert_ignoring_known(sqlite.insert), "postgresql": _insert_ignoring_known(postgresql.insert)}
_INSERT_ONE = Prepared(_INSERT["postgresql"], sqlite=_INSERT["sqlite"])
_INSERT_PAYLOADS, _INSERT_ENTRIES = Prepared(insert(table_of(Payload))), Prepared(insert(table_of(TimelineEntry)))


def accept_messages(session: Session, incoming: Sequence[Incoming], now: datetime) -> list[Acceptance]:
    """Store what is new; answer one Acceptance per message, in order. The caller commits, then answers the sender."""
    firsts: dict[tuple[str, str], Incoming] = {}
    for message in incoming:
        firsts.setdefault((message.source, message.source_message_id), message)
    stored = _insert_new(session, list(firsts.values()), now)
    known = _known(session, [key for key in firsts if key not in stored])
    answers: list[Acceptance] = []
    answered: set[tuple[str, str]] = set()
    for message in incoming:
        key = (message.source, message.source_message_id)
        if key in stored and key not in answered:
            answered.add(key)
            answers.append(Acceptance("accepted", stored[key]))
            continue
        message_id, digest, state = (stored[key], firsts[key].digest, State.RECEIVED) if key in stored else known[key]
        answers.append(Acceptance("repeat" if digest == message.digest else "conflict", message_id, state))
    _note(session, incoming, answers, now)
    return answers


def _note(session: Session, incoming: Sequence[Incoming], answers: Sequence[Acceptance], now: datetime) -> None:
    seen = [
        (message.source, message.plant, message.sighting, answer.status == "accepted")
        for message, answer in zip(incoming, answers, strict=True)
        if message.sighting is not None
    ]
    if seen:
        note_sightings(session, seen, now)


def _insert_new(session: Session, messages: Sequence[Incoming], now: datetime) -> dict[tuple[str, str], int]:
    stored: dict[tuple[str, str], int] = {}
    for start in range(0, len(messages), INSERT_CHUNK):
        rows = [_row(message, now) for message in messages[start : start + INSERT_CHUNK]]
        stored |= {(row.source, row.source_message_id): row.id for row in _insert_ignoring(session, rows)}
    new = [(stored[key], m) for m in messages if (key := (m.source, m.source_message_id)) in stored]
    if new:
        _INSERT_PAYLOADS.run_each(session, [_payload(message_id, message) for message_id, message in new])
        _INSERT_ENTRIES.run_each(session, [_received(message_id, m.note, now) for message_id, m in new])
        record_changes(session, Counter((m.plant, m.type, State.RECEIVED.value) for _, m in new))
    return stored


def _insert_ignoring(session: Session, rows: list[dict[str, Any]]) -> Sequence[Any]:
    """The ids of those that are new. Many go in one statement, whose form depends on how many they are."""
    if len(rows) == 1:
        return _INSERT_ONE.rows(session, **rows[0])
    connection = session.connection()
    return connection.execute(_INSERT[connection.dialect.name], rows).all()


def _row(message: Incoming, now: datetime) -> dict[str, Any]:
    return {
        "plant": message.plant,
        "source": message.source,
        "source_message_id": message.source_message_id,
        "type": message.type,
        "digest": message.digest,
        "state": State.RECEIVED.value,
        "step": Step.TRANSFORM.value,
        "lane": 0,
        "due_at": now,
        "attempts": 0,
        "ordering_key": message.ordering_key,
        "key_rank": sequence_rank(message.sequence) if message.sequence else "",
        "sequence": message.sequence,
        "received_at": now,
        "state_at": now,
        "traceparent": message.traceparent,
        "file_id": message.file_id,
        "row_number": message.row_number,
    }


def _payload(message_id: int, message: Incoming) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "content_type": message.content_type,
        "body": message.body,
        "attributes": dict(message.attributes) if message.attributes is not None else None,
    }


def _received(message_id: int, note: str | None, now: datetime) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "at": now,
        "actor": "lineside",
        "from_state": None,
        "to_state": State.RECEIVED.value,
        "note": note,
    }


def _known(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], tuple[int, str, State]]:
    known: dict[tuple[str, str], tuple[int, str, State]] = {}
    for start in range(0, len(keys), INSERT_CHUNK):
        query = select(Message.source, Message.source_message_id, Message.id, Message.digest, Message.state).where(
            among((Message.source, Message.source_message_id), keys[start : start + INSERT_CHUNK])
        )
        known |= {
            (row.source, row.source_message_id): (row.id, row.digest, State(row.state))
            for row in session.execute(query)
        }
    return known
