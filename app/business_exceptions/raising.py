"""Raise a business exception, once a cause; close it by itself when the cause is gone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import case, event, literal, null, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.exception_tables import UNRESOLVED, BusinessException
from app.store.measure_notes import Noted, note
from config.exception_policy import NO_POLICY, ExceptionPolicy
from config.exception_terms import Severity, terms_of

__all__ = ["Cause", "Severity", "ValueAtRisk", "close_exceptions", "raise_exceptions", "unresolved"]

log = structlog.get_logger()

OPEN, ACKNOWLEDGED, RESOLVED = "open", "acknowledged", "resolved"
BY_ITSELF = "lineside"
# So many causes in one statement at most.
PORTION = 200

MESSAGES_MOST = 20
"""Messages that an exception names; of the others it says how many there are."""


@dataclass(frozen=True)
class ValueAtRisk:
    """What is at risk, by the standard cost of the item."""

    value: Decimal
    currency: str


@dataclass(frozen=True)
class Cause:
    """What is to be seen by a person. ``rule`` is a stable word for filters and metrics, ``key`` the same whenever it
    is the same cause, ``message`` a sentence that a person can act on. ``missing_from`` and ``missing_to``: the range
    that is missing, as numbers or instants. ``detail`` is for the rule itself. ``object_type`` and ``object_id``: the
    business object, the source unless told; ``messages``: the ids of those behind it, the latest first;
    ``value_at_risk``: None where it is not known."""

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
    object_type: str | None = None
    object_id: str | None = None
    messages: Sequence[int] = ()
    value_at_risk: ValueAtRisk | None = None


def raise_exceptions(
    session: Session, causes: Sequence[Cause], now: datetime, policy: ExceptionPolicy = NO_POLICY
) -> None:
    """Each cause has one unresolved exception afterwards: a new one, or the one it has, brought up to date. A new one
    is told in the log once the caller has committed, and to its owner soon. A rule that the topology has turned off
    raises nothing."""
    by_key = {cause.key: cause for cause in causes if policy.of(cause.rule, cause.plant).enabled}
    keys = sorted(by_key)  # always in this order, so that two that raise the same ones never wait in a circle
    for start in range(0, len(keys), PORTION):
        chosen = [by_key[key] for key in keys[start : start + PORTION]]
        rows = session.execute(_statement(session, [_row(cause, now, policy) for cause in chosen])).all()
        new = {row.cause: row.id for row in rows if row.times == 1}
        note(session, Noted.RAISED, new.values(), now)
        for cause in chosen:
            if cause.key in new:
                _tell_when_committed(session, cause, new[cause.key])


_KEPT_UP_TO_DATE = (
    *("severity", "message", "missing_from", "missing_to", "detail", "last_seen_at"),
    *("object_type", "object_id", "messages", "owner", "value_at_risk", "currency"),
)


def _statement(session: Session, rows: Sequence[Mapping[str, Any]]) -> Any:
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    statement = build(BusinessException).values(rows)
    return statement.on_conflict_do_update(
        index_elements=["cause"],
        index_where=UNRESOLVED,
        set_={name: statement.excluded[name] for name in _KEPT_UP_TO_DATE} | {"times": BusinessException.times + 1},
    ).returning(BusinessException.id, BusinessException.cause, BusinessException.times)


def _row(cause: Cause, now: datetime, policy: ExceptionPolicy) -> dict[str, Any]:
    settings = policy.of(cause.rule, cause.plant)
    terms, at_risk = terms_of(cause.rule), cause.value_at_risk
    return {
        "rule": cause.rule,
        "cause": cause.key[:400],
        "plant": cause.plant or None,
        "source": cause.source,
        "subject": cause.subject,
        # The topology's word, where it has one, stands above what the rule itself makes of this cause.
        "severity": cause.severity if settings.severity == terms.severity else settings.severity,
        "message": cause.message,
        "missing_from": cause.missing_from,
        "missing_to": cause.missing_to,
        "detail": dict(cause.detail),
        "state": OPEN,
        "times": 1,
        "first_seen_at": now,
        "last_seen_at": now,
        "process": terms.process,
        "object_type": cause.object_type or ("source" if cause.source else None),
        "object_id": cause.object_id or cause.source,
        "messages": named_messages(cause.messages),
        "owner": settings.owner,
        "value_at_risk": at_risk.value if at_risk else None,
        "currency": at_risk.currency if at_risk else None,
        "attend_at": now if settings.owner else None,
    }


def named_messages(ids: Sequence[int]) -> dict[str, Any]:
    """``{"ids": [...], "more": n}``: as many ids as are kept, and how many there are besides."""
    distinct = list(dict.fromkeys(ids))
    return {"ids": distinct[:MESSAGES_MOST], "more": max(0, len(distinct) - MESSAGES_MOST)}


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
        .values(state=RESOLVED, resolved_at=now, resolved_by=BY_ITSELF, resolution=how, attend_at=attend_if_told(now))
        .execution_options(synchronize_session=False)
    )
    closed = session.scalars(statement.returning(BusinessException.id)).all()
    if closed:
        note(session, Noted.RESOLVED, closed, now)
        log.info("business_exceptions_closed", exception_ids=sorted(closed), how=how)
    return len(closed)


def attend_if_told(now: datetime) -> Any:
    """When an exception that ends is to be looked at: now where somebody was told of it, and else never."""
    return case((BusinessException.told_at.is_not(None), literal(now, BusinessException.attend_at.type)), else_=null())


def unresolved(
    session: Session, rules: Collection[str], most: int, causes: Collection[str] | None = None
) -> list[BusinessException]:
    """The unresolved exceptions of these rules, the oldest first, and of these causes only where some are named."""
    query = select(BusinessException).where(UNRESOLVED, BusinessException.rule.in_(sorted(rules)))
    if causes is not None:
        query = query.where(BusinessException.cause.in_(sorted(causes)))
    return list(session.scalars(query.order_by(BusinessException.id).limit(most)))
