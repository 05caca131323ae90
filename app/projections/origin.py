"""The event of a message that a row of a projection comes from."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

AS_TOLD = {"synchronize_session": False}


@dataclass(frozen=True)
class Origin:
    message_id: int
    event_index: int
    plant: str
    happened_at: datetime

    @property
    def columns(self) -> dict[str, Any]:
        return {
            "message_id": self.message_id,
            "event_index": self.event_index,
            "plant": self.plant,
            "happened_at": self.happened_at,
        }


def counting_ones(session: Session, table: Any, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages that have rows of this table which count."""
    query = select(table.message_id).where(table.message_id.in_(message_ids), table.void_at.is_(None))
    return set(session.execute(query.distinct()).scalars()) if message_ids else set()


def void_rows(
    session: Session, table: Any, subject: Sequence[Any], message_ids: Collection[int], now: datetime, **values: Any
) -> set[tuple[Any, ...]]:
    """These messages' rows of this table count no more, and get these ``values``; returns their subjects."""
    of_them = (table.message_id.in_(sorted(message_ids)), table.void_at.is_(None))
    subjects = {tuple(row) for row in session.execute(select(*subject).where(*of_them).distinct())}
    if subjects:
        session.execute(update(table).where(*of_them).values(void_at=now, **values), execution_options=AS_TOLD)
    return subjects
