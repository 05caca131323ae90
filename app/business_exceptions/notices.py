"""Who is to be told of which business exception, and when: planned in one transaction, sent by another.

An exception that somebody may have to be told of has a time at which it is attended to: when it is raised, when it is
to go up a step, when it ends. Attending to it adds rows of what is to be sent, and sets the next time.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import OPEN, RESOLVED
from app.store.exception_tables import NOTICE_WAITS, BusinessException, ExceptionNotice
from config.exception_policy import ExceptionPolicy, Owner
from mappings.units import plain

ATTENDED_MOST = 500
DIGEST_OVER = 5
"""More for one owner at once are told together."""
SINGLY_AN_HOUR = 30
"""An owner is told singly no more often; beyond that in digests."""
DIGEST_EVERY = timedelta(minutes=15)
DIGEST_LINES = 20
WAITING, SENT, DEAD = "waiting", "sent", "dead"

Kind = Literal["raised", "escalated", "resolved"]


@dataclass(frozen=True)
class _Telling:
    exception: BusinessException
    kind: Kind
    owner: Owner


def anything_due(session: Session, now: datetime) -> bool:
    """Whether there is anything to be attended to or sent."""
    attended = select(BusinessException.id).where(BusinessException.attend_at <= now).limit(1)
    waiting = select(ExceptionNotice.id).where(NOTICE_WAITS, ExceptionNotice.due_at <= now).limit(1)
    return any(session.execute(query).first() is not None for query in (attended, waiting))


def plan_notices(session: Session, policy: ExceptionPolicy, now: datetime) -> int:
    """Attend to what is due; returns how many exceptions were attended to. One process at a time does it."""
    query = select(BusinessException).where(BusinessException.attend_at <= now)
    query = query.order_by(BusinessException.attend_at, BusinessException.id).limit(ATTENDED_MOST)
    due = session.scalars(query.with_for_update()).all()
    by_owner: dict[str, list[_Telling]] = defaultdict(list)
    for exception in due:
        for telling in _tellings(session, policy, exception, now):
            by_owner[telling.owner.name].append(telling)
    for name, tellings in sorted(by_owner.items()):
        _tell(session, policy, policy.owners[name], tellings, now)
    return len(due)


def _tellings(session: Session, policy: ExceptionPolicy, exception: BusinessException, now: datetime) -> list[_Telling]:
    """What is due of it; where nothing is, when it is to be attended to next."""
    owner = policy.recipient(exception.owner)
    if owner is None:
        exception.attend_at = None
    elif exception.state == RESOLVED:
        exception.attend_at = None
        told = [owner, *(policy.owners[step.to] for step in owner.escalation[: exception.escalation])]
        return [_Telling(exception, "resolved", one) for one in dict.fromkeys(told) if one.tell_resolved]
    elif exception.state != OPEN:
        exception.attend_at = None
    elif exception.told_at is None:
        if (quiet_until := _quiet_until(session, policy, exception)) > now:
            exception.attend_at = quiet_until
        else:
            return [_Telling(exception, "raised", owner)]
    elif exception.escalation < len(owner.escalation):
        return [_Telling(exception, "escalated", policy.owners[owner.escalation[exception.escalation].to])]
    else:
        exception.attend_at = None
    return []


def _quiet_until(session: Session, policy: ExceptionPolicy, exception: BusinessException) -> datetime:
    """A cause that comes and goes is told again when this is over, if it is there then."""
    query = select(func.max(BusinessException.told_at)).where(
        BusinessException.cause == exception.cause, BusinessException.id < exception.id
    )
    told_at: datetime | None = session.scalar(query)
    begins = exception.first_seen_at
    return begins if told_at is None else max(begins, told_at + timedelta(minutes=policy.quiet_minutes))


def _tell(session: Session, policy: ExceptionPolicy, owner: Owner, tellings: Sequence[_Telling], now: datetime) -> None:
    """One notice each, or one of them all; where such a one went out of late, what is not over waits for the next."""
    room = SINGLY_AN_HOUR - _told_lately(session, owner, now)
    if len(tellings) <= min(DIGEST_OVER, room):
        for one in tellings:
            _add(session, owner, one.kind, one.exception.id, _body(one.exception, one.kind, now), now)
    else:
        last = _last_digest_at(session, owner)
        if last is not None and now - last < DIGEST_EVERY:
            for one in tellings:
                one.exception.attend_at = last + DIGEST_EVERY
            return
        _add(session, owner, "digest", None, _digest(tellings, now), now)
    for one in tellings:
        _go_on(policy, one, now)


def _go_on(policy: ExceptionPolicy, told: _Telling, now: datetime) -> None:
    """Until when nobody else is told, counted from when its owner was."""
    exception, owner = told.exception, policy.recipient(told.exception.owner)
    if told.kind == "resolved" or owner is None:
        exception.attend_at = None
        return
    if told.kind == "raised":
        exception.told_at = now
    else:
        exception.escalation += 1
    steps = owner.escalation[exception.escalation :]
    begins = exception.told_at or now
    exception.attend_at = begins + timedelta(minutes=steps[0].after_minutes) if steps else None


def _told_lately(session: Session, owner: Owner, now: datetime) -> int:
    """How many notices of one exception the owner had within the hour, by the busiest channel."""
    query = select(ExceptionNotice.channel, ExceptionNotice.exception_id)
    query = query.where(ExceptionNotice.owner == owner.name, ExceptionNotice.created_at > now - timedelta(hours=1))
    lately = session.execute(query.limit(SINGLY_AN_HOUR * max(1, len(owner.channels)) * 2))
    counts: dict[str, int] = defaultdict(int)
    for row in lately:
        counts[row.channel] += row.exception_id is not None
    return max(counts.values(), default=0)


def _last_digest_at(session: Session, owner: Owner) -> datetime | None:
    query = select(ExceptionNotice.created_at).where(
        ExceptionNotice.owner == owner.name, ExceptionNotice.exception_id.is_(None)
    )
    return session.scalar(query.order_by(ExceptionNotice.created_at.desc()).limit(1))


def _add(
    session: Session, owner: Owner, kind: str, exception_id: int | None, body: Mapping[str, Any], now: datetime
) -> None:
    for channel in owner.channels:
        session.add(
            ExceptionNotice(
                exception_id=exception_id,
                kind=kind,
                owner=owner.name,
                channel=channel.label,
                webhook_id=f"msg_{secrets.token_hex(14)}",
                body=body,
                state=WAITING,
                due_at=now,
                created_at=now,
            )
        )
    session.flush()


def _body(exception: BusinessException, kind: str, now: datetime) -> dict[str, Any]:
    """As Standard Webhooks would have it: type, timestamp, data. It stays as it is, however often it is sent."""
    return {"type": f"exception.{kind}", "timestamp": now.isoformat(), "data": _told(exception)}


def _digest(tellings: Sequence[_Telling], now: datetime) -> dict[str, Any]:
    lines = [{**_told(one.exception), "kind": one.kind} for one in tellings[:DIGEST_LINES]]
    more = max(0, len(tellings) - DIGEST_LINES)
    data = {"count": len(tellings), "exceptions": lines, "more": more}
    return {"type": "exception.digest", "timestamp": now.isoformat(), "data": data}


def _told(exception: BusinessException) -> dict[str, Any]:
    names = ("id", "rule", "process", "plant", "source", "object_type", "object_id", "severity", "state", "message")
    at_risk = None
    if exception.value_at_risk is not None:
        at_risk = {"value": plain(exception.value_at_risk), "currency": exception.currency}
    return {
        **{name: getattr(exception, name) for name in names},
        "owner": exception.owner,
        "messages": exception.messages,
        "value_at_risk": at_risk,
        "escalation": exception.escalation,
        "first_seen_at": exception.first_seen_at.isoformat(),
        "resolution": exception.resolution,
    }
