"""Which messages count in the picture, and which of them it can be built anew from."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, or_, select

from app.store.documents import ENRICHED
from app.store.messages_tables import Message, MessageDocument, TimelineEntry
from config.own_messages import only_for

POSTED, COMPENSATED = "posted", "compensated"


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
