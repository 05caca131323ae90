"""Find business exceptions: a page of them, one, or how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import ACKNOWLEDGED, OPEN, RESOLVED
from app.store.exception_tables import UNRESOLVED, BusinessException, ExceptionNotice

STATES = (OPEN, ACKNOWLEDGED, RESOLVED)
UNFINISHED = (OPEN, ACKNOWLEDGED)
_BY_VALUE = ("plant", "source", "rule", "severity", "process", "owner", "object_type", "object_id")
NOTICES_MOST = 100


@dataclass(frozen=True)
class ExceptionFilter:
    """``states`` empty means any."""

    states: Sequence[str] = ()
    plant: str | None = None
    source: str | None = None
    rule: str | None = None
    severity: str | None = None
    process: str | None = None
    owner: str | None = None
    object_type: str | None = None
    object_id: str | None = None


@dataclass(frozen=True)
class ExceptionPage:
    """The newest first; ``before`` continues the list, and is None at its end."""

    exceptions: list[BusinessException]
    before: int | None


def list_exceptions(session: Session, chosen: ExceptionFilter, limit: int, before: int | None = None) -> ExceptionPage:
    query = select(BusinessException).order_by(BusinessException.id.desc()).limit(limit + 1)
    if chosen.states:
        query = query.where(BusinessException.state.in_(list(chosen.states)))
        if RESOLVED not in chosen.states:
            query = query.where(UNRESOLVED)
    for name in _BY_VALUE:
        if value := getattr(chosen, name):
            query = query.where(getattr(BusinessException, name) == value)
    if before is not None:
        query = query.where(BusinessException.id < before)
    rows = list(session.scalars(query))
    return ExceptionPage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


def find_exception(session: Session, exception_id: int) -> BusinessException | None:
    return session.get(BusinessException, exception_id)


def notices_of(session: Session, exception_id: int) -> Sequence[ExceptionNotice]:
    """What was told of it, or is to be, the latest first; what stood in a digest is not among it."""
    query = select(ExceptionNotice).where(ExceptionNotice.exception_id == exception_id)
    return session.scalars(query.order_by(ExceptionNotice.id.desc()).limit(NOTICES_MOST)).all()


def count_unresolved(session: Session) -> Counter[tuple[str, str, str]]:
    """How many are unresolved, by rule, plant ('' where there is none) and state."""
    key = (BusinessException.rule, BusinessException.plant, BusinessException.state)
    query = select(*key, func.count()).where(UNRESOLVED).group_by(*key)
    return Counter({(rule, plant or "", state): count for rule, plant, state, count in session.execute(query)})
