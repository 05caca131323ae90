"""Send what is due to subscribers: one at a time for each, side by side for different ones.

No transaction is open while a subscriber is called. The delivery is claimed and committed, then sent, then settled; a
worker that is killed in between leaves a lease that ends, and the same webhook id is sent again.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from app.access.sealing import CannotOpen, Seal
from app.adapters.bounded_http import CallFailed
from app.adapters.guarded_http import GuardedHttp, UrlRefused
from app.adapters.signed_webhook import signed_headers
from app.inbox.claim import new_token
from app.projections.feed_reading import instant_text, read_entries
from app.store.feed_tables import FeedEntry
from app.store.leases import keep_lease, take_lease
from app.store.session import Store
from app.store.webhook_tables import WebhookDelivery, WebhookSubscriber
from app.telemetry.metrics import observe_delivery
from app.webhooks.backing_off import GONE, Jitter, has_failed_throughout, leave_alone, next_due
from app.webhooks.deliveries import (
    DELIVERED,
    FAILED,
    LEASE_SECONDS,
    Attempt,
    Claimed,
    claim,
    drop_old,
    end,
    has_due,
    note_attempt,
    spread,
)
from app.webhooks.subscribers import (
    ACTIVE,
    SUBSCRIBERS_MOST,
    find_subscriber,
    open_secrets,
    pause_for_failures,
)

log = structlog.get_logger()

PURPOSE = "webhooks"
CONTENT_TYPE = "application/cloudevents+json; charset=UTF-8"
TIMEOUT_SECONDS = 10.0
TEST = "lineside.webhook.test.v1"
EMPTY_PAGES_MOST = 20


@dataclass(frozen=True)
class _Call:
    """All that one attempt needs; ``fault``: why it cannot even be made."""

    url: str
    body: str
    secrets: list[str] = field(repr=False)
    fault: str | None = None


@dataclass
class WebhookSender:
    """What one process sends with. Safe to share between threads."""

    store: Store
    seal: Seal
    http: GuardedHttp
    clock: Callable[[], datetime]
    jitter: Jitter = random.uniform

    def due(self) -> list[int]:
        """Subscribers that have something to be sent, or to be looked for in the feed. Without any subscriber this is
        one query of an empty table."""
        now = self.clock()
        is_open = or_(WebhookSubscriber.open_at.is_(None), WebhookSubscriber.open_at <= now)
        query = select(WebhookSubscriber.id, WebhookSubscriber.told_position).where(
            WebhookSubscriber.state == ACTIVE, is_open
        )
        with self.store.reading() as session:
            rows = session.execute(query.order_by(WebhookSubscriber.id).limit(SUBSCRIBERS_MOST)).all()
            if not rows:
                return []
            newest = session.execute(select(func.max(FeedEntry.position))).scalar_one() or 0
            return [row.id for row in rows if row.told_position < newest or has_due(session, row.id, now)]

    def serve(self, subscriber_id: int, seconds: float) -> bool:
        """Send what is due to one subscriber, for so long at most; whether it had more. Does nothing while as many as
        may serve it do."""
        token = new_token()
        slot = self._take_slot(subscriber_id, token)
        if slot is None:
            return False
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until:
                if not self._send_one(subscriber_id, token):
                    return False
            return True
        finally:
            with self.store.writing() as session:
                keep_lease(session, slot, token, self.clock(), 0)

    def forget_old(self) -> int:
        """Take a portion of what ended long ago away; returns how much."""
        with self.store.writing() as session:
            return drop_old(session, self.clock())

    def _take_slot(self, subscriber_id: int, token: str) -> str | None:
        """A right to call the subscriber; one that fails is called by one worker at a time."""
        with self.store.writing() as session:
            row = find_subscriber(session, subscriber_id)
            for number in range(0 if row is None else 1 if row.failures else row.concurrency):
                name = f"webhook:{subscriber_id}:{number}"
                if take_lease(session, name, token, self.clock(), LEASE_SECONDS):
                    return name
        return None

    def _send_one(self, subscriber_id: int, token: str) -> bool:
        """False where there is nothing to send now."""
        found = self._next(subscriber_id, token)
        if found is None:
            return False
        claimed, call = found
        attempt = self._attempt(claimed, call)
        with self.store.writing() as session:
            ended = self._settle(session, subscriber_id, claimed, attempt)
        if ended is not None:
            observe_delivery(*ended)
        return True

    def _next(self, subscriber_id: int, token: str) -> tuple[Claimed, _Call] | None:
        """Claim the oldest delivery; where none is due, look for more in the feed first."""
        for _ in range(EMPTY_PAGES_MOST):
            with self.store.writing() as session:
                now = self.clock()
                row = find_subscriber(session, subscriber_id, lock=True)
                if row is None or row.state != ACTIVE or (row.open_at is not None and row.open_at > now):
                    return None
                claimed = claim(session, subscriber_id, token, now)
                if claimed is not None:
                    return claimed, self._call(session, row, claimed, now)
                before = row.told_position
                if not spread(session, row, now) and row.told_position == before:
                    return None
        return None

    def _call(self, session: Session, row: WebhookSubscriber, claimed: Claimed, now: datetime) -> _Call:
        try:
            secrets = open_secrets(self.seal, row, now)
        except CannotOpen as error:
            return _Call(row.url, "", [], f"its secret cannot be opened: {error}")
        if claimed.position is None:
            return _Call(row.url, json.dumps(_test_event(claimed, row.name, now)), secrets)
        told = read_entries(session, [claimed.position]).get(claimed.position)
        if told is None:
            return _Call(row.url, "", [], "the event is kept no more")
        return _Call(row.url, json.dumps(told.cloud_event, ensure_ascii=False, separators=(",", ":")), secrets)

    def _attempt(self, claimed: Claimed, call: _Call) -> Attempt:
        now, began = self.clock(), time.monotonic()
        status, wished, reason = None, None, call.fault
        if reason is None:
            headers = _signed(claimed.webhook_id, now, call)
            try:
                answer = self.http.call("POST", call.url, headers, call.body.encode())
            except (CallFailed, UrlRefused) as error:
                reason = str(error)
            else:
                status, wished = answer.status, answer.wished_seconds(now)
                reason = None if 200 <= status < 300 else f"it answered {status}"
        took_ms = round((time.monotonic() - began) * 1_000)
        return Attempt(now, took_ms, status, reason, wished if status in (429, 503) else None)

    def _settle(
        self, session: Session, subscriber_id: int, claimed: Claimed, attempt: Attempt
    ) -> tuple[str, str] | None:
        """The subscriber's name and the delivery's state, where it is over now."""
        row = find_subscriber(session, subscriber_id, lock=True)  # before its delivery, as everywhere
        delivery = note_attempt(session, claimed, attempt)
        if row is None or delivery is None:
            return None  # another worker has it since, or it was asked for anew
        if attempt.reason is None:
            end(delivery, DELIVERED, attempt.at)
            if row.failures:
                row.failures, row.failing_since, row.open_at = 0, None, None
            return row.name, DELIVERED
        log.info("webhook_failed", subscriber=row.name, webhook_id=claimed.webhook_id, reason=attempt.reason)
        self._fail(session, row, delivery, attempt)
        return (row.name, FAILED) if delivery.state == FAILED else None

    def _fail(self, session: Session, row: WebhookSubscriber, delivery: WebhookDelivery, attempt: Attempt) -> None:
        leave_alone(row, attempt, self.jitter)
        due_at = next_due(delivery, attempt, self.jitter)
        if attempt.status == GONE:
            delivery.due_at = attempt.at
            pause_for_failures(session, row, "it answered 410, Gone: it wants no more", attempt.at)
        elif due_at is not None:
            delivery.due_at = due_at
        elif has_failed_throughout(row, delivery):
            # Not this delivery is at fault but the receiver: it gets all of them once it is mended.
            delivery.due_at, delivery.attempts, delivery.tries_since = attempt.at, 0, None
            pause_for_failures(session, row, f"nothing was delivered for a day; last, {attempt.reason}", attempt.at)
        else:
            end(delivery, FAILED, attempt.at)


def _signed(webhook_id: str, at: datetime, call: _Call) -> dict[str, str]:
    """With a signature by each secret: while one is being replaced, a receiver that has either verifies it."""
    each = [signed_headers(secret, webhook_id, call.body, at) for secret in call.secrets]
    signatures = " ".join(headers["webhook-signature"] for headers in each)
    return each[0] | {"Content-Type": CONTENT_TYPE, "webhook-signature": signatures}


def _test_event(claimed: Claimed, name: str, now: datetime) -> dict[str, object]:
    return {
        "specversion": "1.0",
        "id": claimed.webhook_id,
        "source": "/lineside",
        "type": TEST,
        "time": instant_text(now),
        "datacontenttype": "application/json",
        "data": {"subscriber": name},
    }
