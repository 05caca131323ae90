"""Dropped files: take one, record how far it was read, end it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.files_tables import DroppedFile

READING = "reading"
ARCHIVED = "archived"
FAILED = "failed"


@dataclass(frozen=True)
class TakenFile:
    """How far a file was read. ``is_new`` is False where the same bytes were taken before."""

    id: int
    name: str
    state: str
    rows_done: int
    errors_bytes: int
    is_new: bool


def take_file(session: Session, source: str, name: str, sha256: str, size_bytes: int, now: datetime) -> TakenFile:
    """Take a file by its content; one that was taken before is answered as it stands."""
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    values = {
        "source": source,
        "name": name[:255],
        "sha256": sha256,
        "size_bytes": size_bytes,
        "state": READING,
        "rows_done": 0,
        "rows_accepted": 0,
        "rows_repeated": 0,
        "rows_refused": 0,
        "errors_bytes": 0,
        "watchers_lost": 0,
        "taken_at": now,
    }
    statement = build(DroppedFile).values(values).on_conflict_do_nothing(index_elements=["source", "sha256"])
    new = session.execute(statement.returning(DroppedFile.id)).scalar_one_or_none()
    found = session.execute(
        select(DroppedFile).where(DroppedFile.source == source, DroppedFile.sha256 == sha256)
    ).scalar_one()
    return TakenFile(found.id, found.name, found.state, found.rows_done, found.errors_bytes, new is not None)


def hold_file(session: Session, file_id: int, token: str) -> int:
    """Note which watcher reads it; returns how many others ended over it since rows of it were last kept."""
    session.execute(
        update(DroppedFile)
        .where(DroppedFile.id == file_id, DroppedFile.held_by != token)
        .values(held_by=token, watchers_lost=DroppedFile.watchers_lost + 1)
    )
    session.execute(
        update(DroppedFile).where(DroppedFile.id == file_id, DroppedFile.held_by.is_(None)).values(held_by=token)
    )
    return session.execute(select(DroppedFile.watchers_lost).where(DroppedFile.id == file_id)).scalar_one()


def reopen_file(session: Session, file_id: int, name: str, now: datetime, was: str = FAILED) -> None:
    """Begin a file anew that failed before: what was wrong may have been the topology, not the file; or one that was
    read, and says the same of another time."""
    session.execute(
        update(DroppedFile)
        .where(DroppedFile.id == file_id, DroppedFile.state == was)
        .values(
            state=READING,
            name=name[:255],
            rows_done=0,
            errors_bytes=0,
            rows_refused=0,
            reason=None,
            taken_at=now,
            held_by=None,
            watchers_lost=0,
        )
    )


def record_rows(session: Session, file_id: int, accepted: int, repeated: int, refused: int, errors_bytes: int) -> None:
    """Count rows as read; called in the transaction that stores their messages."""
    session.execute(
        update(DroppedFile)
        .where(DroppedFile.id == file_id)
        .values(
            rows_done=DroppedFile.rows_done + accepted + repeated + refused,
            rows_accepted=DroppedFile.rows_accepted + accepted,
            rows_repeated=DroppedFile.rows_repeated + repeated,
            rows_refused=DroppedFile.rows_refused + refused,
            errors_bytes=errors_bytes,
            watchers_lost=0,
        )
        .execution_options(synchronize_session=False)
    )


def end_file(session: Session, file_id: int, state: str, reason: str | None, now: datetime) -> None:
    session.execute(
        update(DroppedFile).where(DroppedFile.id == file_id).values(state=state, reason=reason, ended_at=now)
    )
