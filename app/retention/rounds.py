"""One round of retention: choose, export, delete, and go on behind it; safe to be killed anywhere."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.inbox.claim import count_due
from app.inbox.states import Step
from app.retention.choosing import Chosen, Rules, choose
from app.retention.deleting import BATCH, delete_exported, register
from app.retention.exporting import export
from app.store.leases import keep_lease, take_lease
from app.store.messages_tables import Message
from app.store.retention_tables import Archive, RetentionMark
from app.store.session import Store

Clock = Callable[[], datetime]
LEASE = "retention"
LEASE_SECONDS = 300.0
FILE_MESSAGES = 1_000
FILE_BYTES = 32_000_000
BUSY = 500
"""Due messages of one plant and step from which on a round stands back: they come first."""
_WALK = "messages"


@dataclass(frozen=True)
class Retention:
    """``folder``: where files are written, below which they are named; ``host``: whose folder that is."""

    rules: Rules
    folder: Path
    host: str


@dataclass
class Round:
    """``is_through``: whether the walk has come to the end of all messages. ``stood_back``: because of load, or because
    another worker is at it."""

    exported: int = 0
    deleted: int = 0
    files: list[str] = field(default_factory=list)
    is_through: bool = False
    stood_back: bool = False


def is_busy(session: Session, plants: list[str], now: datetime) -> bool:
    return any(count_due(session, plant, step, now, BUSY) >= BUSY for plant in plants for step in Step)


def retain(store: Store, retention: Retention, plants: list[str], clock: Clock, seconds: float) -> Round:
    """Export and delete what may leave, for so long at most, unless messages are waiting for work.

    Raises OSError where files cannot be written; nothing is deleted then."""
    done, token = Round(), secrets.token_hex(8)
    if not retention.rules:
        return done
    with store.writing() as session:
        done.stood_back = is_busy(session, plants, clock()) or not take_lease(
            session, LEASE, token, clock(), LEASE_SECONDS
        )
    if done.stood_back:
        return done
    until = time.monotonic() + seconds
    try:
        while not done.is_through and time.monotonic() < until:
            _step(store, retention, clock, token, done)
    finally:
        with store.writing() as session:
            keep_lease(session, LEASE, token, clock(), 0)
    return done


def _step(store: Store, retention: Retention, clock: Clock, token: str, done: Round) -> None:
    """One file at most. The walk goes on only once all of it is deleted: who is killed before comes here again, and
    writes the file anew."""
    now = clock()
    with store.reading() as session:
        after_id = _mark(session)
        chosen = choose(session, retention.rules, after_id, now, FILE_MESSAGES, FILE_BYTES)
    if chosen:
        _export_and_delete(store, retention, clock, token, chosen, done)
    with store.writing() as session:
        _save_mark(session, chosen.through or 0)
    done.is_through = chosen.through is None


def _export_and_delete(
    store: Store, retention: Retention, clock: Clock, token: str, chosen: Chosen, done: Round
) -> None:
    exported_at = clock()
    written = export(store, retention.folder, chosen, exported_at)
    with store.writing() as session:
        archive_id = register(session, written, retention.host, exported_at)
        detail = {"file": written.path, "sha256": written.sha256, "messages": len(chosen)}
        record(session, "lineside", "messages.exported", f"archive:{archive_id}", detail, exported_at)
    done.exported += len(chosen)
    done.files.append(written.path)
    deleted = 0
    for start in range(0, len(chosen), BATCH):
        with store.writing() as session:
            if not keep_lease(session, LEASE, token, clock(), LEASE_SECONDS):
                raise RetentionLost
            deleted += delete_exported(session, chosen[start : start + BATCH], archive_id, exported_at)
    done.deleted += deleted


class RetentionLost(Exception):
    """Another worker took the right: this one stood still for too long."""


def _mark(session: Session) -> int:
    row = session.get(RetentionMark, _WALK)
    return row.after_id if row else 0


def _save_mark(session: Session, after_id: int) -> None:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(RetentionMark).values(name=_WALK, after_id=after_id)
    session.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"after_id": after_id}))


def preview(store: Store, rules: Rules, now: datetime) -> Iterator[tuple[int, Counter[tuple[str, str]]]]:
    """What would leave now, by domain and state: after each window the id that it came to, and the counts of it."""
    after_id: int | None = 0
    while after_id is not None:
        with store.reading() as session:
            chosen = choose(session, rules, after_id, now, FILE_MESSAGES, FILE_BYTES)
            rows = session.execute(select(Message.id, Message.state).where(Message.id.in_(chosen)))
            states = {row.id: row.state for row in rows}
        yield chosen.through or 0, Counter((chosen.domains[key], states[key]) for key in chosen)
        after_id = chosen.through


@dataclass(frozen=True)
class Kept:
    """What lies in archives; ``newest`` first."""

    files: int
    messages: int
    bytes: int
    newest: list[Archive]


def archives(session: Session, most: int = 10) -> Kept:
    sums = select(func.count(), func.coalesce(func.sum(Archive.messages), 0), func.coalesce(func.sum(Archive.bytes), 0))
    files, messages, size = session.execute(sums).one()
    newest = session.scalars(select(Archive).order_by(Archive.id.desc()).limit(most)).all()
    return Kept(files, int(messages), int(size), list(newest))
