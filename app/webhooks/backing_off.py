"""How long to wait after an attempt that failed, and when to give up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from app.store.webhook_tables import WebhookDelivery, WebhookSubscriber
from app.webhooks.deliveries import Attempt

Jitter = Callable[[float, float], float]

WAITS_SECONDS = (5.0, 30.0, 120.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 14_400.0, 21_600.0, 36_000.0)
"""After the first, second, ... attempt of one delivery: some 24 hours in all."""
GIVE_UP_SECONDS = 86_400.0
SPREAD_OF_WAIT = 0.2
ALONE_AFTER = 3
"""So many failures in a row, of whatever deliveries, and the subscriber is left alone for a while as a whole."""
ALONE_SECONDS = 5.0
ALONE_MOST_SECONDS = 900.0
WISH_MOST_SECONDS = 3_600.0
GONE = 410


def next_due(row: WebhookDelivery, attempt: Attempt, jitter: Jitter) -> datetime | None:
    """When the delivery is due again; None to give it up. ``row.attempts`` counts this one."""
    since = row.tries_since or attempt.at
    is_over = row.attempts > len(WAITS_SECONDS) or attempt.at - since >= timedelta(seconds=GIVE_UP_SECONDS)
    if is_over:
        return None
    wait = WAITS_SECONDS[row.attempts - 1] * jitter(1 - SPREAD_OF_WAIT, 1 + SPREAD_OF_WAIT)
    return attempt.at + timedelta(seconds=max(wait, _wished(attempt)))


def leave_alone(row: WebhookSubscriber, attempt: Attempt, jitter: Jitter) -> None:
    """Count the failure; a subscriber that fails again and again, or asks for it, is not called for a while, so that a
    receiver that is down is not called once for each event that it missed."""
    row.failures += 1
    row.failing_since = row.failing_since or attempt.at
    doubled = min(row.failures - ALONE_AFTER, 16)
    seconds = min(ALONE_MOST_SECONDS, ALONE_SECONDS * 2**doubled) if doubled >= 0 else 0.0
    seconds = max(seconds * jitter(1 - SPREAD_OF_WAIT, 1 + SPREAD_OF_WAIT), _wished(attempt))
    if seconds:
        row.open_at = attempt.at + timedelta(seconds=seconds)


def has_failed_throughout(row: WebhookSubscriber, delivery: WebhookDelivery) -> bool:
    """Whether nothing was taken in all the time in which this delivery was tried."""
    since = delivery.tries_since
    return row.failing_since is not None and since is not None and row.failing_since <= since


def _wished(attempt: Attempt) -> float:
    return min(attempt.wished_seconds or 0.0, WISH_MOST_SECONDS)
