"""What a person does with a business exception; written to the trail in the same transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.audit.trail import record
from app.business_exceptions.raising import ACKNOWLEDGED, OPEN, RESOLVED, attend_if_told
from app.store.exception_tables import BusinessException
from app.store.measure_notes import Noted, note
from config.exception_terms import RULE_TERMS

_JUDGED = sorted(word for word, terms in RULE_TERMS.items() if terms.judged)


def acknowledge(session: Session, exception_id: int, actor: str, reason: str | None, now: datetime) -> bool:
    """Somebody has seen it and takes care of it; False where it is not open any more."""
    values = {"state": ACKNOWLEDGED, "acknowledged_at": now, "acknowledged_by": actor[:120], "attend_at": None}
    return _move(session, exception_id, (OPEN,), values, "acknowledged", actor, reason, now)


def resolve(session: Session, exception_id: int, actor: str, reason: str, now: datetime) -> bool:
    """A person says what became of it, and it is over; False where it was over already. Its cause is not raised again
    before it is gone."""
    values: dict[str, Any] = {"state": RESOLVED, "resolved_at": now, "resolved_by": actor[:120], "resolution": reason}
    values |= {"attend_at": attend_if_told(now), "waived": BusinessException.rule.in_(_JUDGED)}
    is_over = _move(session, exception_id, (OPEN, ACKNOWLEDGED), values, "resolved", actor, reason, now)
    if is_over:
        note(session, Noted.RESOLVED, [exception_id], now)
    return is_over


def _move(
    session: Session,
    exception_id: int,
    states: tuple[str, ...],
    values: dict[str, Any],
    act: str,
    actor: str,
    reason: str | None,
    now: datetime,
) -> bool:
    statement = (
        update(BusinessException)
        .where(BusinessException.id == exception_id, BusinessException.state.in_(states))
        .values(values)
        .execution_options(synchronize_session=False)
    )
    result: Any = session.execute(statement)
    if not result.rowcount:
        return False
    detail = {"reason": reason} if reason else None
    record(session, actor, f"exception.{act}", f"exception:{exception_id}", detail, now)
    return True
