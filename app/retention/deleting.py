"""Take out of the database what lies in an archive: in short transactions, and only of messages that are still as they
were when they were exported.

What stays: the message's own row, by which a repeat is known for ever; what stock, orders and lots are built from; that
a posting was made, when, under which key and reference; and the audit trail, of which nothing is ever deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.projections.said import is_reported
from app.retention.choosing import STATES, still_open
from app.retention.exporting import Written
from app.store.documents import CANONICAL, ENRICHED, load_documents
from app.store.messages_tables import Correction, Message, MessageDocument, Payload, TimelineEntry
from app.store.postings_tables import Posting, PostingAttempt
from app.store.retention_tables import Archive
from mappings.canonical.versions import newest
from mappings.context import Event, MappingError

BATCH = 100
"""Messages of one transaction."""


def register(session: Session, written: Written, host: str, now: datetime) -> int:
    """The file counts from now on; returns its id."""
    archive = Archive(
        path=written.path,
        host=host,
        sha256=written.sha256,
        bytes=written.bytes,
        messages=len(written.ids),
        made_at=now,
    )
    session.add(archive)
    session.flush()
    return archive.id


def delete_exported(session: Session, ids: Sequence[int], archive_id: int, exported_at: datetime) -> int:
    """Delete what was exported of these; returns of how many. One that moved since, or is open again, stays."""
    unchanged = (Message.archive_id.is_(None)) & (Message.step.is_(None)) & (Message.state_at < exported_at)
    query = select(Message.id, Message.state).where(Message.id.in_(ids), unchanged, Message.state.in_(STATES))
    rows = session.execute(query.order_by(Message.id).with_for_update()).all()
    open_ones = still_open(session, [row.id for row in rows])
    states = {row.id: row.state for row in rows if row.id not in open_ones}
    if not states:
        return 0
    gone = list(states)
    kept = _source_of_the_picture(session, [key for key in gone if states[key] == State.POSTED])
    _delete(session, gone, kept)
    archived = update(Message).where(Message.id.in_(gone)).values(archive_id=archive_id)
    session.execute(archived.execution_options(synchronize_session=False))
    return len(gone)


def _delete(session: Session, ids: Collection[int], kept: Collection[int]) -> None:
    postings = select(Posting.id).where(Posting.message_id.in_(ids))
    enriched = (MessageDocument.step == ENRICHED) & MessageDocument.message_id.not_in(kept)
    statements = (
        delete(PostingAttempt).where(PostingAttempt.posting_id.in_(postings)),
        delete(TimelineEntry).where(TimelineEntry.message_id.in_(ids)),
        delete(Correction).where(Correction.message_id.in_(ids)),
        delete(Payload).where(Payload.message_id.in_(ids)),
        delete(MessageDocument).where(
            MessageDocument.message_id.in_(ids), (MessageDocument.step == CANONICAL) | enriched
        ),
    )
    for statement in statements:
        session.execute(statement.execution_options(synchronize_session=False))
    emptied = update(Posting).where(Posting.message_id.in_(ids)).values(document={}, answer=None)
    session.execute(emptied.execution_options(synchronize_session=False))


def _source_of_the_picture(session: Session, ids: Sequence[int]) -> set[int]:
    """Those whose events say anything of stock, of its use, of orders or of holds: the picture is built anew from them.
    One that cannot be read is kept as it is."""
    documents = load_documents(session, ids, ENRICHED)
    unreadable = set(ids) - documents.keys()
    return unreadable | {key for key, body in documents.items() if _says_something(body)}


def _says_something(body: object) -> bool:
    try:
        return any(is_reported(newest(Event(one["type"], one["data"]))) for one in body)  # type: ignore[attr-defined]
    except (KeyError, TypeError, MappingError):
        return True
