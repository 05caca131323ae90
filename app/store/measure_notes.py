"""Note what is to be measured, in the transaction that makes it so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.store.measure_tables import MeasureNote


class Noted(StrEnum):
    POSTED = "posted"
    DIED = "died"
    DISCARDED = "discarded"
    RAISED = "raised"
    RESOLVED = "resolved"


def note(session: Session, kind: Noted, ids: Iterable[int], at: datetime) -> None:
    """This happened to these messages, or to these business exceptions."""
    rows = [{"kind": kind.value, "subject_id": key, "at": at} for key in sorted(ids)]
    if rows:
        session.connection().execute(insert(MeasureNote), rows)
