"""What took effect and is still to be entered into the projections: one row a message, written by who made it so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.orm import Session

from app.projections.measuring import is_anything_noted
from app.store.base import table_of
from app.store.documents import ENRICHED
from app.store.ledger_tables import Effect
from app.store.messages_tables import Message, MessageDocument, TimelineEntry
from app.store.prepared import Prepared
from config.own_messages import only_for

_INSERT = Prepared(insert(table_of(Effect)))

POSTED, COMPENSATED = "posted", "compensated"
BEHIND_MOST = 10_000
"""As far as those that are still to be entered are counted: beyond that the number says "at least"."""


@dataclass(frozen=True)
class Behind:
    """How far the projections are behind what took effect. ``messages``: at most BEHIND_MOST are counted; ``since``:
    when the oldest of them took effect; ``faults``: how many cannot be entered."""

    messages: int
    since: datetime | None
    faults: int


def note_effects(session: Session, message_ids: Iterable[int], now: datetime, *, undo: bool = False) -> None:
    """These messages take effect, or are undone, in the caller's transaction."""
    _INSERT.run_each(session, [{"message_id": key, "undo": undo, "at": now} for key in message_ids])


def has_effect() -> ColumnElement[bool]:
    """Whether a message took effect and was not undone: it is posted, or was before a target refused to reverse it."""
    was_posted = select(TimelineEntry.id).where(
        TimelineEntry.message_id == Message.id, TimelineEntry.to_state == POSTED
    )
    neither = Message.state.not_in([POSTED, COMPENSATED])
    took_effect = or_(Message.state == POSTED, and_(neither, was_posted.exists()))
    return and_(took_effect, Message.source.not_like(f"{only_for('')}%"))


def said_nothing() -> ColumnElement[bool]:
    """Whether a message was exported, and said nothing from which the picture could be built anew: only of such the
    enriched document is deleted."""
    kept = select(MessageDocument.message_id).where(
        MessageDocument.message_id == Message.id, MessageDocument.step == ENRICHED
    )
    return and_(Message.archive_id.is_not(None), ~kept.exists())


def has_effects(session: Session) -> bool:
    """Whether any that can be entered is still to be."""
    return session.execute(select(Effect.id).where(Effect.fault.is_(None)).limit(1)).first() is not None


def is_anything_left(session: Session) -> bool:
    """Whether any is still to be entered, or anything to be measured."""
    return has_effects(session) or is_anything_noted(session)


def list_faults(session: Session, most: int) -> list[tuple[int, str]]:
    """Messages that cannot be entered, and why."""
    query = select(Effect.message_id, Effect.fault).where(Effect.fault.is_not(None)).order_by(Effect.message_id)
    return [(row.message_id, row.fault) for row in session.execute(query.limit(most))]


def behind(session: Session) -> Behind:
    """How much is still to be entered."""
    left, faulty = Effect.fault.is_(None), Effect.fault.is_not(None)
    waiting = select(Effect.id, Effect.at).where(left).order_by(Effect.id).limit(BEHIND_MOST).subquery()
    number, since = session.execute(select(func.count(waiting.c.id), func.min(waiting.c.at))).one()
    faults = session.execute(select(func.count()).select_from(Effect).where(faulty)).scalar_one()
    return Behind(number, since, faults)
