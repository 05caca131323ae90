"""Comparisons that people asked for, until each has its report or the reason why there is none."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.store.reconcile_tables import ASKED, ReconcileRequest

OPEN_MOST = 20
"""Asked for and not over: they are served one after the other, and each may take a system minutes to answer."""
KEPT_MOST = 1_000


class TooManyRequests(Exception):
    """So many are asked for already that one more would not be served for long."""


def save_request(
    session: Session, system: str, against: str | None, level: str, actor: str, now: datetime
) -> tuple[ReconcileRequest, bool]:
    """The request, and whether it is new: the same that is not over yet is not asked for twice. Raises
    TooManyRequests."""
    same = select(ReconcileRequest).where(ASKED, ReconcileRequest.system == system, ReconcileRequest.level == level)
    found = session.scalars(
        same.where(ReconcileRequest.against.is_not_distinct_from(against)).order_by(ReconcileRequest.id).limit(1)
    ).one_or_none()
    if found is not None:
        return found, False
    if session.scalars(select(func.count()).select_from(ReconcileRequest).where(ASKED)).one() >= OPEN_MOST:
        raise TooManyRequests
    request = ReconcileRequest(system=system, against=against, level=level, asked_at=now, asked_by=actor[:120], begun=0)
    session.add(request)
    session.flush()
    old = (ReconcileRequest.id <= request.id - KEPT_MOST) & ReconcileRequest.ended_at.is_not(None)
    session.execute(delete(ReconcileRequest).where(old).execution_options(synchronize_session=False))
    return request, True


def find_request(session: Session, request_id: int) -> ReconcileRequest | None:
    return session.get(ReconcileRequest, request_id)


def to_be_read(session: Session, system: str | None = None) -> ReconcileRequest | None:
    """The oldest of which nothing was read yet; of this system."""
    query = select(ReconcileRequest).where(ASKED, ReconcileRequest.snapshot_id.is_(None))
    if system is not None:
        query = query.where(ReconcileRequest.system == system)
    return session.scalars(query.order_by(ReconcileRequest.id).limit(1)).one_or_none()


def request_of_snapshot(session: Session, snapshot_id: int) -> ReconcileRequest | None:
    query = select(ReconcileRequest).where(ASKED, ReconcileRequest.snapshot_id == snapshot_id)
    return session.scalars(query.limit(1)).one_or_none()


def begin_request(session: Session, request_id: int) -> None:
    _set(session, request_id, begun=ReconcileRequest.begun + 1)


def note_snapshot(session: Session, request_id: int, snapshot_id: int) -> None:
    _set(session, request_id, snapshot_id=snapshot_id)


def end_request(
    session: Session, request_id: int, now: datetime, reconciliation_id: int | None = None, trouble: str | None = None
) -> None:
    _set(session, request_id, ended_at=now, reconciliation_id=reconciliation_id, trouble=trouble)


def _set(session: Session, request_id: int, **values: Any) -> None:
    statement = update(ReconcileRequest).where(ReconcileRequest.id == request_id, ASKED).values(values)
    session.execute(statement.execution_options(synchronize_session=False))
