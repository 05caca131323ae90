"""Send what is due of the notices: each is claimed, sent without an open transaction, and noted.

A worker that ends in between leaves its notice due again later, under the same id: who is told twice can tell.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.business_exceptions.notices import DEAD, SENT, WAITING
from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions, unresolved
from app.store.exception_tables import NOTICE_WAITS, ExceptionNotice
from app.store.session import Store
from config.exception_policy import Channel, ExceptionPolicy
from config.exception_terms import NOT_DELIVERED

log = structlog.get_logger()

CLAIM_SECONDS = 180.0
"""So long a notice is its worker's; no channel may take as long."""
TRIES_MOST = 8
FIRST_PAUSE_SECONDS, PAUSE_CAP_SECONDS = 30.0, 3_600.0
AT_ONCE_MOST = 100
ROUND_SECONDS = 20.0


class NotDelivered(Exception):
    """``is_final``: trying again is of no use. ``after_seconds``: when the other side wants to be tried again."""

    def __init__(self, reason: str, *, is_final: bool = False, after_seconds: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.is_final, self.after_seconds = reason, is_final, after_seconds


class Sender(Protocol):
    def send(self, channel: Channel, webhook_id: str, body: Mapping[str, Any], now: datetime) -> None:
        """Raises NotDelivered; returns only when it was taken."""
        ...


@dataclass(frozen=True)
class _Claimed:
    id: int
    owner: str
    channel: str
    webhook_id: str
    body: Any
    tries: int


def send_notices(
    store: Store, policy: ExceptionPolicy, sender: Sender, clock: Callable[[], datetime], seconds: float = ROUND_SECONDS
) -> int:
    """Send what is due for so long at most; returns how many were taken by the other side."""
    until, sent = time.monotonic() + seconds, 0
    for _ in range(AT_ONCE_MOST):
        with store.writing() as session:
            claimed = _claim(session, clock())
        if claimed is None:
            break
        trouble = _try(policy, sender, claimed, clock)
        with store.writing() as session:
            _note(session, policy, claimed, trouble, clock())
        sent += trouble is None
        if time.monotonic() >= until:
            break
    return sent


def _claim(session: Session, now: datetime) -> _Claimed | None:
    query = select(ExceptionNotice).where(NOTICE_WAITS, ExceptionNotice.due_at <= now)
    query = query.order_by(ExceptionNotice.due_at, ExceptionNotice.id).limit(1)
    notice = session.scalar(query.with_for_update(skip_locked=True))
    if notice is None:
        return None
    notice.tries += 1
    notice.due_at = now + timedelta(seconds=CLAIM_SECONDS)
    return _Claimed(notice.id, notice.owner, notice.channel, notice.webhook_id, notice.body, notice.tries)


def _try(
    policy: ExceptionPolicy, sender: Sender, claimed: _Claimed, clock: Callable[[], datetime]
) -> NotDelivered | None:
    owner = policy.recipient(claimed.owner)
    channels = {channel.label: channel for channel in owner.channels} if owner is not None else {}
    if claimed.channel not in channels:
        return NotDelivered("the topology knows this owner or channel no more", is_final=True)
    if claimed.tries > TRIES_MOST:
        return NotDelivered(f"{TRIES_MOST} workers ended while they sent it", is_final=True)
    try:
        sender.send(channels[claimed.channel], claimed.webhook_id, claimed.body, clock())
    except NotDelivered as trouble:
        return trouble
    return None


def _note(
    session: Session, policy: ExceptionPolicy, claimed: _Claimed, trouble: NotDelivered | None, now: datetime
) -> None:
    told = {"notice": claimed.id, "owner": claimed.owner, "channel": claimed.channel, "tries": claimed.tries}
    cause = f"{NOT_DELIVERED}:{claimed.owner}:{claimed.channel}"
    if trouble is None:
        _end(session, claimed, {"state": SENT, "ended_at": now, "trouble": None})
        failing = unresolved(session, [NOT_DELIVERED], 1, [cause])
        close_exceptions(session, [each.id for each in failing], "A later notice was taken.", now)
        log.info("exception_notice_sent", **told)
    elif trouble.is_final or claimed.tries >= TRIES_MOST:
        _end(session, claimed, {"state": DEAD, "ended_at": now, "trouble": trouble.reason})
        raise_exceptions(session, [_not_delivered(claimed, cause, trouble)], now, policy)
        log.error("exception_notice_dead", reason=trouble.reason, **told)
    else:
        pause = min(PAUSE_CAP_SECONDS, FIRST_PAUSE_SECONDS * 2.0 ** (claimed.tries - 1))
        pause = max(pause, min(trouble.after_seconds or 0.0, PAUSE_CAP_SECONDS))
        _end(session, claimed, {"due_at": now + timedelta(seconds=pause), "trouble": trouble.reason})
        log.warning("exception_notice_not_taken", reason=trouble.reason, **told)


def _end(session: Session, claimed: _Claimed, values: Mapping[str, Any]) -> None:
    """If it is still this worker's; else another has tried it since, and says what became of it."""
    mine = (ExceptionNotice.id == claimed.id, ExceptionNotice.tries == claimed.tries, ExceptionNotice.state == WAITING)
    chosen = update(ExceptionNotice).where(*mine).values(dict(values))
    session.execute(chosen, execution_options={"synchronize_session": False})


def _not_delivered(claimed: _Claimed, cause: str, trouble: NotDelivered) -> Cause:
    return Cause(
        rule=NOT_DELIVERED,
        key=cause,
        subject=f"{claimed.channel} of {claimed.owner}",
        severity="serious",
        message=(
            f"{claimed.owner} could not be told by {claimed.channel}: {trouble.reason}. Notice {claimed.id} was tried "
            f"{claimed.tries} times. Mend the channel; exceptions of this owner are seen here meanwhile."
        ),
        object_type="channel",
        object_id=f"{claimed.owner}/{claimed.channel}"[:255],
    )


def webhook_text(body: Mapping[str, Any]) -> str:
    """The same body is the same text, whenever it is sent."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
