"""Raise a business exception, once a cause; close it by itself when the cause is gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import structlog
from sqlalchemy import event, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.exception_tables import UNRESOLVED, BusinessException
from app.store.measure_notes import Noted, note

log = structlog.get_logger()

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"
BY_ITSELF = "lineside"
# So many causes in one statement at most.
PORTION = 200

Severity = Literal["notice", "warning", "serious"]


@dataclass(frozen=True)
class Cause:
    """What is to be seen by a person. ``rule`` is a stable word for filters and metrics, ``key`` the same whenever it
    is the same cause, ``message`` a sentence that a person can act on. ``missing_from`` and ``missing_to``: the range
    that is missing, as numbers or instants. ``detail`` is for the rule itself."""

    rule: str
    key: str
    subject: str
    severity: Severity
    message: str
    source: str | None = None
    plant: str | None = None
    missing_from: str | None = None
    missing_to: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def raise_exceptions(session: Session, causes: Sequence[Cause], now: datetime) -> None:
    """Each cause has one unresolved exception afterwards: a new one, or the one it has, brought up to date. A new one
    is told in the log once the caller has committed."""
    by_key = {cause.key: cause for cause in causes}
    keys = sorted(by_key)  # always in this order, so that two that raise the same ones never wait in a circle
    for start in range(0, len(keys), PORTION):
        chosen = [by_key[key] for key in keys[start : start + PORTION]]
        rows = session.execute(_statement(session, chosen, now)).all()
        new = {row.cause: row.id for row in rows if row.times == 1}
        note(session, Noted.RAISED, new.values(), now)
        for cause in chosen:
            if cause.key in new:
                _tell_when_committed(session, cause, new[cause.key])


def _statement(session: Session, causes: Sequence[Cause], now: datetime) -> Any:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(BusinessException).values([_row(cause, now) for cause in causes])
    told = ("severity", "message", "missing_from", "missing_to", "detail", "last_seen_at")
    return statement.on_conflict_do_update(
        index_elements=["cause"],
        index_where=UNRESOLVED,
        set_={name: statement.excluded[name] for name in told} | {"times": BusinessException.times + 1},
    ).returning(BusinessException.id, BusinessException.cause, BusinessException.times)


def _row(cause: Cause, now: datetime) -> dict[str, Any]:
    return {
        "rule": cause.rule,
        "cause": cause.key[:400],
        "plant": cause.plant or None,
        "source": cause.source,
        "subject": cause.subject,
        "severity": cause.severity,
        "message": cause.message,
        "missing_from": cause.missing_from,
        "missing_to": cause.missing_to,
        "detail": dict(cause.detail),
        "state": OPEN,
        "times": 1,
        "first_seen_at": now,
        "last_seen_at": now,
    }


def _tell_when_committed(session: Session, cause: Cause, exception_id: int) -> None:
    def tell(_session: Session) -> None:
        log.warning(
            "business_exception_raised",
            exception_id=exception_id,
            rule=cause.rule,
            plant=cause.plant,
            source=cause.source,
            subject=cause.subject,
            severity=cause.severity,
            missing_from=cause.missing_from,
            missing_to=cause.missing_to,
        )

    event.listen(session, "after_commit", tell, once=True)


def close_exceptions(session: Session, ids: Collection[int], how: str, now: datetime) -> int:
    """Close these by themselves, saying how the cause went; what a person resolved meanwhile is left as it is."""
    if not ids:
        return 0
    statement = (
        update(BusinessException)
        .where(BusinessException.id.in_(sorted(ids)), BusinessException.state != RESOLVED)
        .values(state=RESOLVED, resolved_at=now, resolved_by=BY_ITSELF, resolution=how)
        .execution_options(synchronize_session=False)
    )
    closed = session.scalars(statement.returning(BusinessException.id)).all()
    if closed:
        note(session, Noted.RESOLVED, closed, now)
        log.info("business_exceptions_closed", exception_ids=sorted(closed), how=how)
    return len(closed)


def unresolved(
    session: Session, rules: Collection[str], most: int, causes: Collection[str] | None = None
) -> list[BusinessException]:
    """The unresolved exceptions of these rules, the oldest first, and of these causes only where some are named."""
    query = select(BusinessException).where(UNRESOLVED, BusinessException.rule.in_(sorted(rules)))
    if causes is not None:
        query = query.where(BusinessException.cause.in_(sorted(causes)))
    return list(session.scalars(query.order_by(BusinessException.id).limit(most)))
