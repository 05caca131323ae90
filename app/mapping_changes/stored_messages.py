"""Messages as they are stored, newest first, a bounded page at a time, each in a transaction that only reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from app.inbox.claim import Claimed
from app.inbox.states import Step
from app.mapping_changes.trying import Fault
from app.store.documents import CANONICAL, StoredPayload, load_documents, load_payloads
from app.store.messages_tables import Message
from app.store.session import Store

# So many ids are looked through in one transaction, and so many payloads are in memory at a time.
WINDOW_IDS = 2_000
PAYLOADS_MOST = 50
# Ids are given in the order of acceptance, but for what several processes accept at the same time.
OUT_OF_ORDER_IDS = 10_000

Events = Sequence[dict[str, Any]]
"""Canonical events in wire form: ``{"type", "data"}`` each."""


@dataclass(frozen=True)
class Chosen:
    """Every field that is given must match."""

    since: datetime
    source: str | None = None
    type: str | None = None
    plant: str | None = None


@dataclass(frozen=True)
class StoredMessage:
    """``before``: the events that its mapping made, or why it made none; None where it has not been mapped yet."""

    message: Claimed
    payload: StoredPayload
    mapping_version: str | None
    before: Events | Fault | None


def stored_messages(store: Store, chosen: Chosen, limit: int) -> Iterator[tuple[float, list[StoredMessage]]]:
    """Pages of at most ``limit`` messages in all, each with the share of the ids that lie behind it."""
    with _only_reading(store) as session:
        newest = session.scalar(select(func.max(Message.id))) or 0
        oldest = max(1, _first_id_since(session, chosen.since, newest) - OUT_OF_ORDER_IDS)
    upper, left = newest, limit
    while upper >= oldest and left > 0:
        lower = max(oldest, upper - WINDOW_IDS + 1)
        with _only_reading(store) as session:
            found = _window(session, chosen, lower, upper, left)
            for start in range(0, len(found), PAYLOADS_MOST):
                part = found[start : start + PAYLOADS_MOST]
                yield (newest - part[-1].id) / max(1, newest - oldest + 1), _with_payloads(session, part)
        left -= len(found)
        upper = lower - 1
        yield (newest - upper) / max(1, newest - oldest + 1), []


@contextmanager
def _only_reading(store: Store) -> Iterator[Session]:
    with store.reading() as session:
        if not store.is_sqlite:
            session.execute(text("SET TRANSACTION READ ONLY"))
        yield session


def stored_message(store: Store, message_id: int) -> StoredMessage | None:
    """One message, read from its newest correction where there is one; None where there is no such message,
    or it was exported."""
    with _only_reading(store) as session:
        message = session.get(Message, message_id)
        return next(iter(_with_payloads(session, [message])), None) if message is not None else None


def _first_id_since(session: Session, since: datetime, newest: int) -> int:
    """By halving: ids and times rise together, and no index has the time."""
    low, high = 1, newest + 1
    while low < high:
        middle = (low + high) // 2
        query = select(Message.id, Message.received_at).where(Message.id >= middle).order_by(Message.id).limit(1)
        row = session.execute(query).first()
        if row is None or row.received_at >= since:
            high = middle
        else:
            low = row.id + 1
    return low


def _window(session: Session, chosen: Chosen, lower: int, upper: int, limit: int) -> list[Message]:
    query = select(Message).where(Message.id.between(lower, upper), Message.received_at >= chosen.since)
    for column, value in (
        (Message.source, chosen.source),
        (Message.type, chosen.type),
        (Message.plant, chosen.plant),
    ):
        query = query.where(column == value) if value is not None else query
    return list(session.scalars(query.order_by(Message.id.desc()).limit(limit)))


def _with_payloads(session: Session, messages: Sequence[Message]) -> list[StoredMessage]:
    ids = [message.id for message in messages]
    payloads, documents = load_payloads(session, ids), load_documents(session, ids, CANONICAL)
    # What was exported and deleted cannot be read again.
    messages = [row for row in messages if row.id in payloads]
    return [
        StoredMessage(claimed_of(row), payloads[row.id], row.mapping_version, _before(row, documents.get(row.id)))
        for row in messages
    ]


def claimed_of(message: Message) -> Claimed:
    """A stored message as the steps know it."""
    return Claimed(**{each.name: getattr(message, each.name) for each in fields(Claimed)})


def _before(message: Message, events: Events | None) -> Events | Fault | None:
    if message.step == Step.TRANSFORM:
        return None
    if events is not None:
        return events
    return Fault(message.reason_code or "unknown", message.reason or "", message.reason_field)
