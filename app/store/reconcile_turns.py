"""When each system's balances are read next, and which of them are still to be compared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.reconcile_tables import AWAITING, ReconcileTurn, Snapshot


def load_turns(session: Session) -> dict[str, ReconcileTurn]:
    return {turn.system: turn for turn in session.scalars(select(ReconcileTurn))}


def save_turn(session: Session, system: str, due_at: datetime, failures: int = 0) -> None:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    values = {"due_at": due_at, "failures": failures}
    statement = build(ReconcileTurn).values(system=system, **values)
    session.execute(statement.on_conflict_do_update(index_elements=["system"], set_=values))


def await_comparison(session: Session, snapshot_id: int, against_id: int | None = None) -> None:
    """This snapshot is to be compared by itself."""
    _set(session, snapshot_id, awaits=0, against_id=against_id)


def begin_comparison(session: Session, snapshot: Snapshot) -> None:
    _set(session, snapshot.id, awaits=(snapshot.awaits or 0) + 1)


def end_comparison(session: Session, snapshot_id: int) -> None:
    _set(session, snapshot_id, awaits=None)


def awaiting(session: Session) -> Snapshot | None:
    """The oldest that is still to be compared."""
    return session.scalars(select(Snapshot).where(AWAITING).order_by(Snapshot.id).limit(1)).one_or_none()


def _set(session: Session, snapshot_id: int, **values: Any) -> None:
    statement = update(Snapshot).where(Snapshot.id == snapshot_id).values(values)
    session.execute(statement.execution_options(synchronize_session=False))
