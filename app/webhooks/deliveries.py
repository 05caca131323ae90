"""Deliveries of one subscriber: made from the feed, claimed, and settled by what came of an attempt.

Between two attempts nothing is held in memory: a delivery that is not over carries ``due_at``, and one that is being
sent a lease. Of one ordering key only the oldest is sent; those of other keys do not wait for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, aliased

from app.projections.feed_reading import Told, read_feed
from app.store.webhook_tables import WebhookAttempt, WebhookDelivery, WebhookSubscriber
from app.webhooks.subscribers import SUBSCRIBERS_MOST, drop_deliveries, filter_of

DUE, DELIVERED, FAILED = "due", "delivered", "failed"
STATES = (DUE, DELIVERED, FAILED)
UNDELIVERED_MOST = 1_000
"""Made ahead for one subscriber: what it has not taken beyond that stays in the feed, where it costs nothing."""
SPREAD_PAGE = 200
LEASE_SECONDS = 60.0
KEPT_DAYS = 30
_AT_ONCE: Any = {"synchronize_session": False}


@dataclass(frozen=True)
class Claimed:
    """A delivery that this worker sends now, and no other."""

    id: int
    webhook_id: str
    position: int | None
    token: str


@dataclass(frozen=True)
class Attempt:
    """What came of one call. ``status`` is None where no whole answer came; ``reason`` None for success."""

    at: datetime
    took_ms: int
    status: int | None
    reason: str | None
    wished_seconds: float | None = None


def spread(session: Session, row: WebhookSubscriber, now: datetime) -> int:
    """Make deliveries of what the feed has told since, as far as there is room; the caller holds the subscriber's row.
    Returns how many."""
    waiting = select(WebhookDelivery.id).where(WebhookDelivery.subscriber_id == row.id, WebhookDelivery.state == DUE)
    room = UNDELIVERED_MOST - len(session.scalars(waiting.limit(UNDELIVERED_MOST)).all())
    if room <= 0:
        return 0
    page = read_feed(session, row.told_position, min(room, SPREAD_PAGE), filter_of(row))
    made = make_due(session, row.id, page.events, now)
    if page.position != row.told_position:
        row.told_position = page.position
    return made


def make_due(session: Session, subscriber_id: int, events: Iterable[Told], now: datetime) -> int:
    """A delivery of each event, due now; one that was made before is due anew, under the same webhook id."""
    rows = [_row(subscriber_id, told.webhook_id, told.position, told.ordering_key, now) for told in events]
    if rows:
        build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
        anew = {"state": DUE, "due_at": now, "attempts": 0, "tries_since": None, "ended_at": None, "reason": None}
        statement = build(WebhookDelivery).on_conflict_do_update(
            index_elements=["subscriber_id", "webhook_id"], set_={**anew, "lease_token": None, "lease_until": None}
        )
        session.connection().execute(statement, rows)
    return len(rows)


def make_test(session: Session, subscriber_id: int, now: datetime) -> int:
    """A delivery that tells of nothing, to see whether the receiver answers; its id. Two may be asked for at once."""
    row = _row(subscriber_id, f"test-{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}", None, None, now)
    return session.execute(insert(WebhookDelivery).values(row).returning(WebhookDelivery.id)).scalar_one()


def replay(
    session: Session, row: WebhookSubscriber, after: int, up_to: int, most: int, now: datetime
) -> tuple[int, int | None]:
    """Make deliveries anew of what the feed told behind ``after`` and not behind ``up_to``, by the subscriber's filter
    of today: how many, and from where to go on if that was not all."""
    page = read_feed(session, after, most, filter_of(row), up_to)
    made = make_due(session, row.id, page.events, now)
    return made, page.position if page.is_more else None


def claim(session: Session, subscriber_id: int, token: str, now: datetime) -> Claimed | None:
    """The oldest delivery that may be sent now, held under ``token`` for the length of a lease."""
    query = (
        select(WebhookDelivery)
        .where(WebhookDelivery.subscriber_id == subscriber_id, *_is_due(now), ~_has_older())
        .order_by(WebhookDelivery.due_at, WebhookDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True, of=WebhookDelivery)
    )
    row = session.scalar(query)
    if row is None:
        return None
    row.lease_token, row.lease_until = token, now + timedelta(seconds=LEASE_SECONDS)
    row.tries_since = row.tries_since or now
    return Claimed(row.id, row.webhook_id, row.position, token)


def has_due(session: Session, subscriber_id: int, now: datetime) -> bool:
    query = select(WebhookDelivery.id).where(WebhookDelivery.subscriber_id == subscriber_id, *_is_due(now))
    return session.execute(query.limit(1)).first() is not None


def note_attempt(session: Session, claimed: Claimed, attempt: Attempt) -> WebhookDelivery | None:
    """Write the attempt down; the delivery, if it is still ours to settle."""
    values = {"delivery_id": claimed.id, "at": attempt.at, "took_ms": attempt.took_ms, "status": attempt.status}
    session.execute(insert(WebhookAttempt).values(values | {"reason": attempt.reason}))
    ours = and_(WebhookDelivery.id == claimed.id, WebhookDelivery.lease_token == claimed.token)
    row = session.scalar(select(WebhookDelivery).where(ours, WebhookDelivery.state == DUE).with_for_update())
    if row is not None:
        row.attempts += 1
        row.lease_token = row.lease_until = None
        row.reason = attempt.reason
    return row


def end(row: WebhookDelivery, state: str, now: datetime) -> None:
    row.state, row.ended_at = state, now


def list_deliveries(
    session: Session, subscriber_id: int, state: str | None, most: int, before: int | None
) -> list[WebhookDelivery]:
    """The newest first. Those of every state are looked up by themselves, by an index, and put together: asked for at
    once they would be looked for among the deliveries of all subscribers."""
    found: list[WebhookDelivery] = []
    for one in (state,) if state is not None else STATES:
        query = select(WebhookDelivery).where(
            WebhookDelivery.subscriber_id == subscriber_id, WebhookDelivery.state == one
        )
        if before is not None:
            query = query.where(WebhookDelivery.id < before)
        found += session.scalars(query.order_by(WebhookDelivery.id.desc()).limit(most))
    return sorted(found, key=lambda row: row.id, reverse=True)[:most]


def find_delivery(session: Session, subscriber_id: int, delivery_id: int) -> WebhookDelivery | None:
    row = session.get(WebhookDelivery, delivery_id)
    return row if row is not None and row.subscriber_id == subscriber_id else None


def attempts_of(session: Session, delivery_id: int, most: int = 100) -> list[WebhookAttempt]:
    """The newest first."""
    query = select(WebhookAttempt).where(WebhookAttempt.delivery_id == delivery_id)
    return list(session.scalars(query.order_by(WebhookAttempt.id.desc()).limit(most)))


def count_undelivered(session: Session, subscriber_id: int) -> int:
    """Up to UNDELIVERED_MOST; what the feed has beyond is not counted."""
    of_it = select(WebhookDelivery.id).where(
        WebhookDelivery.subscriber_id == subscriber_id, WebhookDelivery.state == DUE
    )
    return session.execute(select(func.count()).select_from(of_it.limit(UNDELIVERED_MOST).subquery())).scalar_one()


def undelivered_figures(session: Session, now: datetime) -> dict[str, tuple[int, float]]:
    """By subscriber, also one that is paused: how many deliveries are not over, counted to UNDELIVERED_MOST, and for
    how many seconds the oldest of them has waited. The oldest is found by the index on the state, as ids grow."""
    of_it = (WebhookDelivery.subscriber_id == WebhookSubscriber.id, WebhookDelivery.state == DUE)
    oldest = select(WebhookDelivery.made_at).where(*of_it).order_by(WebhookDelivery.id).limit(1).scalar_subquery()
    rows = session.execute(
        select(WebhookSubscriber.id, WebhookSubscriber.name, oldest)
        .order_by(WebhookSubscriber.id)
        .limit(SUBSCRIBERS_MOST)
    ).all()
    return {
        name: (0, 0.0)
        if made_at is None
        else (count_undelivered(session, key), max(0.0, (now - made_at).total_seconds()))
        for key, name, made_at in rows
    }


def drop_old(session: Session, now: datetime, most: int = 500) -> int:
    """Take deliveries away that ended long ago."""
    old = WebhookDelivery.ended_at < now - timedelta(days=KEPT_DAYS)
    chosen = select(WebhookDelivery.id).where(WebhookDelivery.ended_at.is_not(None), old)
    ids = session.scalars(chosen.order_by(WebhookDelivery.ended_at).limit(most)).all()
    drop_deliveries(session, ids)
    return len(ids)


def give_back(session: Session, claimed: Claimed) -> None:
    """Unsent: somebody else may send it at once."""
    ours = update(WebhookDelivery).where(WebhookDelivery.id == claimed.id, WebhookDelivery.lease_token == claimed.token)
    session.execute(ours.values(lease_token=None, lease_until=None), execution_options=_AT_ONCE)


def _row(subscriber_id: int, webhook_id: str, position: int | None, key: str | None, now: datetime) -> dict[str, Any]:
    return {
        "subscriber_id": subscriber_id,
        "webhook_id": webhook_id,
        "position": position,
        "ordering_key": key,
        "state": DUE,
        "due_at": now,
        "attempts": 0,
        "made_at": now,
    }


def _is_due(now: datetime) -> tuple[ColumnElement[bool], ...]:
    is_free = or_(WebhookDelivery.lease_until.is_(None), WebhookDelivery.lease_until <= now)
    return WebhookDelivery.state == DUE, WebhookDelivery.due_at <= now, is_free


def _has_older() -> ColumnElement[bool]:
    older = aliased(WebhookDelivery)
    return (
        select(older.id)
        .where(
            older.subscriber_id == WebhookDelivery.subscriber_id,
            older.ordering_key == WebhookDelivery.ordering_key,
            older.state == DUE,
            older.id < WebhookDelivery.id,
        )
        .exists()
    )
