"""What a replay of past messages would change, in Lineside's events and in the targets' documents; and the replay of
those that it would change."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.crosswalks.reading import CrosswalkBook
from app.dead_letters.repair import DeadLetterError
from app.dead_letters.replay import replay, why_not_replayed
from app.inbox.lookup import MessageFilter, list_messages
from app.inbox.states import State
from app.mapping_changes.event_differences import Change, changed_values, differences
from app.mapping_changes.preview import Looking, Preview, preview
from app.mapping_changes.stored_messages import StoredMessage, stored_message
from app.mapping_changes.submissions import Submission
from app.mapping_changes.trying import Fault
from app.pipeline.periods import POSTING_DATE
from app.postings.ledger import PostingState
from app.postings.plan import posting_key
from app.store.messages_tables import Message
from app.store.postings_tables import Posting
from app.store.session import Store
from config.topology import Topology

REPLAYED_MOST = 200
"""Messages a call: each is mapped anew, and each that changes costs a transaction."""
CHANGES_MOST = 50


class Verdict(StrEnum):
    CHANGES = "changes"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    WAITS = "waits"
    NOT_POSSIBLE = "not_possible"


@dataclass(frozen=True)
class Document:
    """One of a target; ``reference``: what the target calls it, where it holds it already."""

    target: str
    type: str
    reference: str | None = None


@dataclass(frozen=True)
class Outlook:
    """What becomes of one message if it is replayed. Only what ``changes`` is: its ``reverses`` are undone, then its
    ``posts`` are made. ``replay_id``: the message that takes its place, where that was ordered; ``reason`` and
    ``field`` say why it cannot be, or what it would wait for."""

    message_id: int
    verdict: Verdict
    reason: str | None = None
    field: str | None = None
    changes: Sequence[Change] = ()
    reverses: Sequence[Document] = ()
    posts: Sequence[Document] = ()
    replay_id: int | None = None

    def wire(self) -> dict[str, Any]:
        told: dict[str, Any] = {"id": self.message_id, "verdict": self.verdict.value}
        told |= {"reason": self.reason, "field": self.field, "replay": self.replay_id}
        told["changes"] = [vars(change) for change in self.changes]
        return told | {name: [vars(one) for one in getattr(self, name)] for name in ("reverses", "posts")}


@dataclass(frozen=True)
class Order:
    """Who has messages replayed, and why."""

    actor: str
    reason: str
    clock: Callable[[], datetime]


def look_at(store: Store, topology: Topology, ids: Sequence[int]) -> Iterator[Outlook]:
    """Each of these messages as today's code, topology, crosswalks and items would have it. Changes nothing."""
    book = CrosswalkBook()
    for message_id in ids:
        stored = stored_message(store, message_id)
        if stored is None:
            yield Outlook(message_id, Verdict.NOT_POSSIBLE, f"There is no message {message_id}.")
            continue
        with store.reading() as session:
            yield _outlook(Looking(topology, session, book), session, stored)


def replay_changed(store: Store, topology: Topology, ids: Sequence[int], order: Order) -> Iterator[Outlook]:
    """Replay those of these messages that come out otherwise, a transaction each; the others are left as they are."""
    for outlook in look_at(store, topology, ids):
        if outlook.verdict is not Verdict.CHANGES:
            yield outlook
            continue
        try:
            with store.writing() as session:
                lanes_of = topology.lanes_of
                new = replay(session, outlook.message_id, order.reason, order.actor, order.clock(), lanes_of)
        except DeadLetterError as error:
            yield replace(outlook, verdict=Verdict.NOT_POSSIBLE, reason=str(error))
        else:
            yield replace(outlook, replay_id=new)


def _outlook(looking: Looking, session: Session, stored: StoredMessage) -> Outlook:
    message_id = stored.message.id
    row = session.get(Message, message_id)
    if row is None or (refusal := why_not_replayed(session, row)) is not None:
        return Outlook(message_id, Verdict.NOT_POSSIBLE, refusal if row is not None else None)
    if isinstance(stored.before, Fault) or stored.before is None:
        return Outlook(
            message_id, Verdict.NOT_POSSIBLE, "What it became is no longer stored; nothing tells the change."
        )
    found = preview(looking, Submission(f"message {message_id}", message_id, stored.message, stored.payload))
    if (hindrance := _hindrance(message_id, found)) is not None:
        return hindrance
    after = [{"type": each.event.type, "data": dict(each.event.data)} for each in found.events]
    postings = _postings(session, stored)
    changes = [*differences(stored.before, after), *_document_changes(stored, found, postings)]
    if not changes:
        return Outlook(message_id, Verdict.UNCHANGED)
    held = [one for one in postings.values() if one.state == PostingState.POSTED]
    return Outlook(
        message_id,
        Verdict.CHANGES,
        changes=changes[:CHANGES_MOST],
        reverses=[Document(one.target, one.kind, one.reference) for one in held],
        posts=[Document(target, kind) for _, target, kind, _ in _documents(stored, found)],
    )


def _hindrance(message_id: int, found: Preview) -> Outlook | None:
    """Why its replay would not be posted: then what is posted now had better stay."""
    faults = [fault for fault in (found.fault,) if fault is not None]
    faults += [fault for each in found.events for fault in each.faults]
    documents = [document for each in found.events for document in each.documents if document.required]
    faults += [document.fault for document in documents if document.fault is not None]
    if faults:
        return Outlook(message_id, Verdict.REFUSED, f"{faults[0].code}: {faults[0].reason}", faults[0].field)
    waits = [told for told in (found.waits,) if told is not None]
    waits += [told for each in found.events for told in each.waits]
    waits += [told for document in documents for told in (document.waits, document.needs) if told is not None]
    return Outlook(message_id, Verdict.WAITS, waits[0]) if waits else None


def _postings(session: Session, stored: StoredMessage) -> Mapping[str, Posting]:
    """By key, those of its present generation."""
    mine = (Posting.message_id == stored.message.id) & (Posting.generation == stored.message.generation)
    query = select(Posting).where(mine, Posting.reverses_id.is_(None)).order_by(Posting.ordinal)
    return {posting.posting_key: posting for posting in session.scalars(query)}


def _documents(stored: StoredMessage, found: Preview) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Key under which the message itself would have it, target, type and document."""
    message = stored.message
    for index, each in enumerate(found.events):
        for document in each.documents:
            if document.document is not None:
                key = posting_key(message.source, message.source_message_id, index, document.target, message.generation)
                yield key, document.target, each.event.type, document.document


def _document_changes(stored: StoredMessage, found: Preview, postings: Mapping[str, Posting]) -> Iterator[Change]:
    """A document that the target does not hold so; one more; one less. What was found to be older than what stands was
    never posted, and would not be now."""
    today = {key: (target, kind, document) for key, target, kind, document in _documents(stored, found)}
    for key, (target, kind, document) in today.items():
        posting = postings.get(key)
        if posting is None:
            yield Change(f"{target} {kind}", None, "a document")
        elif posting.state == PostingState.POSTED:
            yield from changed_values(f"{target} document", _comparable(posting.document), _comparable(document))
    for key, posting in postings.items():
        if key not in today and posting.state == PostingState.POSTED:
            yield Change(f"{posting.target} {posting.kind}", posting.reference, None)


def _comparable(document: Mapping[str, Any]) -> Any:
    """As it is stored, and without the day, which may be another one because a period was closed."""
    return json.loads(json.dumps({name: value for name, value in document.items() if name != POSTING_DATE}))


def posted_ids(session: Session, chosen: MessageFilter, limit: int, before: int | None) -> tuple[list[int], int | None]:
    """The newest posted messages that match, below ``before``, and where the list goes on; None at its end."""
    page = list_messages(session, replace(chosen, states=(State.POSTED.value,)), min(limit, REPLAYED_MOST), before)
    return [message.id for message in page.messages], page.before
