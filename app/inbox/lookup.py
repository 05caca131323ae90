"""Read messages: one with everything that is known of it, or a page of many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, select, tuple_, union_all
from sqlalchemy.orm import Session, defer

from app.inbox.claim import key_reference_of
from app.inbox.restatements import Links, links_of
from app.inbox.states import State
from app.store.documents import StoredDocument, documents_of
from app.store.files_tables import DroppedFile
from app.store.messages_tables import Correction, Message, Payload, TimelineEntry
from app.store.postings_tables import Posting, PostingAttempt
from app.store.retention_tables import Archive

PAGE_MOST = 200
# A filter that no index serves looks at this many messages a page, so that a rare value cannot walk the whole table.
WINDOW = 50_000
HELD_UP_BOUND = 1_000
# SQLite joins at most 500 selects to one.
MERGED_MOST = 400


@dataclass(frozen=True)
class MessageFilter:
    """Every field that is given must match. ``plants`` and ``states`` empty: any."""

    plants: Sequence[str] = ()
    states: Sequence[str] = ()
    source: str | None = None
    type: str | None = None
    source_message_id: str | None = None
    reason_code: str | None = None
    ordering_key: str | None = None
    received_after: datetime | None = None
    received_before: datetime | None = None
    state_after: datetime | None = None
    state_before: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        exact = {
            Message.source: self.source,
            Message.type: self.type,
            Message.source_message_id: self.source_message_id,
            Message.reason_code: self.reason_code,
            Message.ordering_key: self.ordering_key,
        }
        wanted: list[ColumnElement[bool]] = [column == value for column, value in exact.items() if value]
        if self.plants:
            wanted.append(Message.plant.in_(self.plants))
        if self.states:
            wanted.append(Message.state.in_(self.states))
        return wanted + self._spans()

    def _spans(self) -> list[ColumnElement[bool]]:
        spans = (
            (self.received_after, Message.received_at.__ge__),
            (self.received_before, Message.received_at.__lt__),
            (self.state_after, Message.state_at.__ge__),
            (self.state_before, Message.state_at.__lt__),
        )
        return [compare(moment) for moment, compare in spans if moment is not None]

    @property
    def served_by_index(self) -> bool:
        """Plant and state are indexed, and so is an id within its source; few messages are dead or wait."""
        if (self.source and self.source_message_id) or (self.states and {*self.states} <= {"dead", "waiting"}):
            return True
        names = (self.source, self.type, self.source_message_id, self.reason_code, self.ordering_key)
        return not any(names) and not self._spans()


@dataclass(frozen=True)
class Page:
    """Newest first. ``before`` continues the list; None at its end. A page may be short, even empty, and go on."""

    messages: list[Message]
    before: int | None


def list_messages(session: Session, chosen: MessageFilter, limit: int = 50, before: int | None = None) -> Page:
    """A page of messages, newest first, below the id ``before``."""
    limit = max(1, min(limit, PAGE_MOST))
    bounds: list[ColumnElement[bool]] = [] if before is None else [Message.id < before]
    floor = None if chosen.served_by_index else _floor(session, before)
    if floor is not None:
        bounds.append(Message.id >= floor)
    newest = _newest(chosen, bounds, limit + 1)
    found = list(session.scalars(select(Message).where(Message.id.in_(newest)).order_by(Message.id.desc())))
    if len(found) > limit:
        return Page(found[:limit], found[limit - 1].id)
    return Page(found, floor if floor is not None and floor > 1 else None)


def _newest(chosen: MessageFilter, bounds: Sequence[ColumnElement[bool]], limit: int) -> Select[int]:
    """The ids of the page. For given plants the newest of each plant and state are looked up in the index and merged:
    in one condition they would have to be sorted, and a plant may have millions."""
    states = chosen.states or [state.value for state in State]
    conditions = [*chosen.conditions(), *bounds]
    pairs = [(plant, state) for plant in chosen.plants for state in states]
    if not 1 < len(pairs) <= MERGED_MOST:
        return select(Message.id).where(*conditions).order_by(Message.id.desc()).limit(limit)
    tops = [
        select(Message.id)
        .where(Message.plant == plant, Message.state == state, *conditions)
        .order_by(Message.id.desc())
        .limit(limit)
        .subquery()
        for plant, state in pairs
    ]
    merged = union_all(*(select(top.c.id) for top in tops)).subquery()
    return select(merged.c.id).order_by(merged.c.id.desc()).limit(limit)


def _floor(session: Session, before: int | None) -> int:
    top = before if before is not None else (session.scalar(select(func.max(Message.id))) or 0) + 1
    return max(1, top - WINDOW)


@dataclass(frozen=True)
class PostingStory:
    """A posting with every attempt, and its reversal, which is told the same way."""

    posting: Posting
    attempts: list[PostingAttempt]
    reversal: PostingStory | None = None


@dataclass(frozen=True)
class MessageStory:
    """Everything that is known of one message. ``holds_up``: how many later messages of its ordering key wait;
    ``links``: which it corrects, and which correct it; ``archive``: the file that it was exported to, in which all
    that is empty here is to be found."""

    message: Message
    timeline: list[TimelineEntry]
    documents: list[StoredDocument]
    postings: list[PostingStory]
    corrections: list[Correction]
    file: DroppedFile | None
    payload_type: str
    payload_bytes: int
    payload_attributes: dict[str, Any]
    holds_up: int
    links: Links
    archive: Archive | None = None


def find_message(session: Session, message_id: int) -> Message | None:
    return session.get(Message, message_id)


def tell_story(session: Session, message: Message) -> MessageStory:
    """What is known of this message, without its payload, which may be large."""
    payload = session.execute(
        select(Payload.content_type, func.length(Payload.body).label("size"), Payload.attributes).where(
            Payload.message_id == message.id
        )
    ).one_or_none()
    return MessageStory(
        message=message,
        timeline=list(
            session.scalars(
                select(TimelineEntry).where(TimelineEntry.message_id == message.id).order_by(TimelineEntry.id)
            )
        ),
        documents=documents_of(session, message.id),
        postings=_postings(session, message.id),
        corrections=list(
            session.scalars(
                select(Correction)
                .where(Correction.message_id == message.id)
                .order_by(Correction.id)
                .options(defer(Correction.body))
            )
        ),
        file=session.get(DroppedFile, message.file_id) if message.file_id is not None else None,
        payload_type=payload.content_type if payload else "",
        payload_bytes=payload.size if payload else 0,
        payload_attributes=(payload.attributes or {}) if payload else {},
        holds_up=_count_held_up(session, message),
        links=links_of(session, message),
        archive=archive_of(session, message),
    )


def archive_of(session: Session, message: Message) -> Archive | None:
    """The file that it was exported to, where it was deleted here."""
    return session.get(Archive, message.archive_id) if message.archive_id is not None else None


def _postings(session: Session, message_id: int) -> list[PostingStory]:
    chosen = select(Posting).where(Posting.message_id == message_id)
    postings = list(session.scalars(chosen.order_by(Posting.generation, Posting.ordinal, Posting.id)))
    attempts: dict[int, list[PostingAttempt]] = {posting.id: [] for posting in postings}
    query = (
        select(PostingAttempt)
        .where(PostingAttempt.posting_id.in_(list(attempts)))
        .order_by(PostingAttempt.posting_id, PostingAttempt.number)
    )
    for attempt in session.scalars(query):
        attempts[attempt.posting_id].append(attempt)
    reversals = {p.reverses_id: PostingStory(p, attempts[p.id]) for p in postings if p.reverses_id is not None}
    originals = [posting for posting in postings if posting.reverses_id is None]
    return [PostingStory(posting, attempts[posting.id], reversals.get(posting.id)) for posting in originals]


def _count_held_up(session: Session, message: Message) -> int:
    if not message.ordering_key or message.state in ("posted", "discarded", "compensated"):
        return 0
    waiting = (
        select(literal(1))
        .where(
            Message.waiting_for == key_reference_of(message.plant, message.ordering_key),
            tuple_(Message.key_rank, Message.id) > tuple_(literal(message.key_rank), literal(message.id)),
        )
        .limit(HELD_UP_BOUND)
    )
    return session.execute(select(func.count()).select_from(waiting.subquery())).scalar_one()


def read_payload(session: Session, message_id: int, most_bytes: int | None = None) -> tuple[str, bytes] | None:
    """Content type and body as received, or the first ``most_bytes`` of the body."""
    body: Any = Payload.body if most_bytes is None else func.substr(Payload.body, 1, most_bytes)
    row = session.execute(
        select(Payload.content_type, body.label("body")).where(Payload.message_id == message_id)
    ).one_or_none()
    return None if row is None else (row.content_type, bytes(row.body))


def read_correction(session: Session, correction_id: int) -> bytes | None:
    return session.scalar(select(Correction.body).where(Correction.id == correction_id))
