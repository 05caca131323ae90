"""The feed: every event that took effect, each once, in one order that others can follow by a number.

Ids and instants of transactions that run side by side do not become visible in their order, so who follows one of them
passes some over. Positions are given by whoever has the right to enter effects, one at a time, in the transaction that
takes the effects away: what has a higher position was committed later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.feed_tables import FeedEntry
from app.store.ledger_tables import Effect
from app.store.messages_tables import Message

_EVENT = ("message_id", "event_index", "undone")


def tell(session: Session, effects: Sequence[Effect], documents: Mapping[int, Any], now: datetime) -> None:
    """Add these effects' events to the feed, in their order; what it has already stays where it is. An event that is
    undone before it was told is told first, and then undone."""
    plants = _plants(session, {effect.message_id for effect in effects})
    rows: dict[tuple[int, int, bool], dict[str, Any]] = {}
    for effect in effects:
        for undone in (False, True) if effect.undo else (False,):
            for index, event_type in enumerate(_types(documents.get(effect.message_id))):
                key = (effect.message_id, index, undone)
                told = {"plant": plants[effect.message_id], "type": event_type, "told_at": now}
                rows.setdefault(key, dict(zip(_EVENT, key, strict=True)) | told)
    if rows:
        build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
        session.connection().execute(build(FeedEntry).on_conflict_do_nothing(), list(rows.values()))


def _plants(session: Session, message_ids: set[int]) -> dict[int, str]:
    query = select(Message.id, Message.plant).where(Message.id.in_(sorted(message_ids)))
    return {row.id: row.plant for row in session.execute(query)}


def _types(document: Any) -> list[str]:
    """Of a message's events. A torn document has none that can be read: the projections name it as a fault, and it is
    told once it can be entered."""
    events = document if isinstance(document, list) else []
    types = [stored.get("type") if isinstance(stored, dict) else None for stored in events]
    return [kind for kind in types if isinstance(kind, str)] if all(isinstance(kind, str) for kind in types) else []
