"""Note what is to be measured, in the transaction that makes it so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.measure_tables import MeasureNote
from app.store.prepared import Prepared

_INSERT = Prepared(insert(table_of(MeasureNote)))


class Noted(StrEnum):
    POSTED = "posted"
    DIED = "died"
    DISCARDED = "discarded"
    RAISED = "raised"
    RESOLVED = "resolved"


def note(session: Session, kind: Noted, ids: Iterable[int], at: datetime) -> None:
    """This happened to these messages, or to these business exceptions."""
    rows: list[dict[str, Any]] = [{"kind": kind.value, "subject_id": key, "at": at} for key in sorted(ids)]
    _INSERT.run_each(session, rows)
