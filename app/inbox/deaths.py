"""What a move into ``dead``, or out of it, leaves besides: the row by which the dead letter's impact is
kept, and that it is to be measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.impact_tables import Impact, ImpactObject
from app.store.measure_notes import Noted, note

CHUNK = 500


def open_impacts(session: Session, died: Mapping[int, str], now: datetime) -> None:
    """These messages, by id with their plant, are dead letters from now on; what they hold up is weighed soon."""
    rows = [{"message_id": key, "plant": plant, "died_at": now, "points": 0} for key, plant in sorted(died.items())]
    if rows:
        build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
        session.connection().execute(build(Impact).on_conflict_do_nothing(), rows)
        note(session, Noted.DIED, died, now)


def close_impacts(session: Session, ids: Sequence[int]) -> None:
    """These are no dead letters any more. Their rows first, in their order: whoever weighs them holds these."""
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        for table in (Impact, ImpactObject):
            of_them = delete(table).where(table.message_id.in_(chunk))
            session.execute(of_them, execution_options={"synchronize_session": False})
