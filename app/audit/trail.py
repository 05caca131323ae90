"""The trail: written in the caller's transaction, so that what was done and its record stand or fall together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.store.access_tables import AuditEntry

SUBJECT_BOUND = 300


@dataclass(frozen=True)
class Recorded:
    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    detail: Mapping[str, Any] | None


def record(
    session: Session, actor: str, action: str, subject: str, detail: Mapping[str, Any] | None, now: datetime
) -> None:
    """Note that ``actor`` did ``action`` (``dead_letter.requeue``) to ``subject`` (``message:12``). The caller commits.

    ``detail`` never holds a payload or a secret: the trail is read by more people than either.
    """
    values = {
        "at": now,
        "actor": actor[:120],
        "action": action[:60],
        "subject": subject[:SUBJECT_BOUND],
        "detail": dict(detail) if detail is not None else None,
    }
    session.execute(insert(AuditEntry).values(values))


def read_trail(
    session: Session, limit: int, before: int | None = None, actor: str | None = None, action: str | None = None
) -> list[Recorded]:
    """The newest entries first; ``before`` is the id of the last entry of the page before."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEntry.id < before)
    if actor:
        query = query.where(AuditEntry.actor == actor)
    if action:
        query = query.where(AuditEntry.action == action)
    return [Recorded(row.id, row.at, row.actor, row.action, row.subject, row.detail) for row in session.scalars(query)]
