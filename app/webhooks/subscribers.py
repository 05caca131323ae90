"""Subscribers: who is told of which events, and where; kept in the caller's transaction."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.access.sealing import Seal
from app.business_exceptions.raising import Cause, close_exceptions, raise_exceptions, unresolved
from app.projections.feed_reading import COMPENSATED, FeedFilter, newest_position
from app.store.webhook_tables import WebhookAttempt, WebhookDelivery, WebhookSubscriber
from mappings.canonical import contract

ACTIVE, PAUSED = "active", "paused"
RULE = "webhook_paused"
SECRET_BYTES = 32
OLD_SECRET_HOURS = 24
SUBSCRIBERS_MOST = 500
CONCURRENCY_MOST = 8
LISTED_MOST = 500
REMOVED_A_TIME = 500
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


class SubscriberRefused(ValueError):
    """The subscriber cannot be made or changed like this; ``field`` is what is wrong, the text why and what to do."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True)
class Wanted:
    """What a subscriber is to be told of; empty for all. ``concurrency``: calls of it under way at the most."""

    types: Sequence[str] = ()
    plants: Sequence[str] = ()
    items: Sequence[str] = ()
    concurrency: int = 1


def check_wanted(wanted: Wanted, plants: Sequence[str]) -> None:
    """Raises SubscriberRefused for types and plants that are not known, and for lists that are too long."""
    for field in ("types", "plants", "items"):
        if len(getattr(wanted, field)) > LISTED_MOST:
            raise SubscriberRefused(field, f"at most {LISTED_MOST} may be listed")
    if strange := [kind for kind in wanted.types if not contract.is_canonical(kind)]:
        hint = "; reversals come with the types that they reverse" if COMPENSATED in strange else ""
        raise SubscriberRefused("types", f"{strange[0][:80]!r} is no canonical type{hint}; see /v1/schemas")
    if strange := [plant for plant in wanted.plants if plant not in plants]:
        raise SubscriberRefused("plants", f"the topology has no plant {strange[0][:80]!r}")
    if not 1 <= wanted.concurrency <= CONCURRENCY_MOST:
        raise SubscriberRefused("concurrency", f"must be from 1 to {CONCURRENCY_MOST}")


def add_subscriber(
    session: Session, seal: Seal, name: str, url: str, wanted: Wanted, actor: str, now: datetime
) -> tuple[int, str]:
    """A new subscriber, told of what takes effect from now on: its id, and its secret, which nobody can show again.
    The caller has checked the URL and what is wanted."""
    if not _NAME.fullmatch(name):
        raise SubscriberRefused("name", "1 to 80 letters, digits or . _ -, beginning with a letter or digit")
    if len(session.scalars(select(WebhookSubscriber.id).limit(SUBSCRIBERS_MOST)).all()) == SUBSCRIBERS_MOST:
        raise SubscriberRefused("name", f"there are {SUBSCRIBERS_MOST} subscribers, and no more are taken; remove one")
    plain = _new_secret()
    values = {
        "name": name,
        "url": url,
        "secrets": [{"sealed": seal.close(plain), "until": None}],
        **_listed(wanted),
        "state": ACTIVE,
        "state_at": now,
        "told_position": newest_position(session),
        "failures": 0,
        "created_at": now,
        "created_by": actor[:120],
    }
    try:
        with session.begin_nested():
            made = session.execute(insert(WebhookSubscriber).values(values).returning(WebhookSubscriber.id))
            return made.scalar_one(), plain
    except IntegrityError:
        raise SubscriberRefused("name", f"there is a subscriber {name} already") from None


def change_subscriber(session: Session, subscriber_id: int, url: str, wanted: Wanted) -> None:
    """What was made for it already is still delivered, to the new URL."""
    values = {"url": url, **_listed(wanted)}
    session.execute(_of(subscriber_id).values(values))


def rotate_secret(session: Session, seal: Seal, row: WebhookSubscriber, now: datetime) -> str:
    """A new secret, shown once. The one before signs beside it for 24 hours, so that a receiver may change when it
    likes; one before that signs no more."""
    plain = _new_secret()
    until = (now + timedelta(hours=OLD_SECRET_HOURS)).isoformat()
    before = {**row.secrets[0], "until": until}
    row.secrets = [{"sealed": seal.close(plain), "until": None}, before]
    return plain


def open_secrets(seal: Seal, row: WebhookSubscriber, now: datetime) -> list[str]:
    """Those that sign now, the newest first. Raises CannotOpen."""
    known = [(one["sealed"], one["until"]) for one in row.secrets]
    return [seal.open(sealed) for sealed, until in known if until is None or datetime.fromisoformat(until) > now]


def find_subscriber(session: Session, subscriber_id: int, *, lock: bool = False) -> WebhookSubscriber | None:
    query = select(WebhookSubscriber).where(WebhookSubscriber.id == subscriber_id)
    return session.scalar(query.with_for_update() if lock else query)


def list_subscribers(session: Session) -> list[WebhookSubscriber]:
    return list(session.scalars(select(WebhookSubscriber).order_by(WebhookSubscriber.name).limit(SUBSCRIBERS_MOST)))


def filter_of(row: WebhookSubscriber) -> FeedFilter:
    return FeedFilter(frozenset(row.types), frozenset(row.plants), frozenset(row.items))


def pause_subscriber(session: Session, row: WebhookSubscriber, reason: str, now: datetime) -> bool:
    """Nothing is sent to it from the next call on, and nothing is lost: it goes on where it was. False where it is
    paused already."""
    if row.state == PAUSED:
        return False
    row.state, row.state_reason, row.state_at = PAUSED, reason, now
    return True


def pause_for_failures(session: Session, row: WebhookSubscriber, reason: str, now: datetime) -> None:
    """The same by itself, which a person has to know."""
    if not pause_subscriber(session, row, reason, now):
        return
    mend = "Mend the receiver or its URL, then resume the subscriber; it is sent all that it missed."
    told = f"Webhook subscriber {row.name} was paused: {reason}. {mend}"
    raise_exceptions(session, [Cause(RULE, _cause(row.id), f"webhook:{row.name}", "serious", told)], now)


def resume_subscriber(session: Session, row: WebhookSubscriber, now: datetime) -> bool:
    """It is sent what it missed, in order. False where it was neither paused nor left alone after failures."""
    if row.state == ACTIVE and row.open_at is None:
        return False
    row.state, row.state_reason, row.state_at = ACTIVE, None, now
    row.failures, row.failing_since, row.open_at = 0, None, None
    due_again = update(WebhookDelivery).where(
        WebhookDelivery.subscriber_id == row.id, WebhookDelivery.state == "due", WebhookDelivery.due_at > now
    )
    session.execute(due_again.values(due_at=now), execution_options={"synchronize_session": False})
    _close(session, row.id, "it was resumed", now)
    return True


def remove_subscriber(session: Session, row: WebhookSubscriber, now: datetime) -> bool:
    """Take a portion of its deliveries away, and, once none is left, itself; False while there are more."""
    chosen = select(WebhookDelivery.id).where(WebhookDelivery.subscriber_id == row.id).limit(REMOVED_A_TIME)
    ids = session.scalars(chosen).all()
    drop_deliveries(session, ids)
    if len(ids) == REMOVED_A_TIME:
        return False
    _close(session, row.id, "the subscriber was removed", now)
    session.delete(row)
    session.flush()
    return True


def drop_deliveries(session: Session, ids: Sequence[int]) -> None:
    """With their attempts."""
    at_once: Any = {"synchronize_session": False}
    session.execute(delete(WebhookAttempt).where(WebhookAttempt.delivery_id.in_(ids)), execution_options=at_once)
    session.execute(delete(WebhookDelivery).where(WebhookDelivery.id.in_(ids)), execution_options=at_once)


def _new_secret() -> str:
    """As Standard Webhooks has it: ``whsec_`` and 24 to 64 random bytes in base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _close(session: Session, subscriber_id: int, how: str, now: datetime) -> None:
    raised = unresolved(session, [RULE], 10, [_cause(subscriber_id)])
    close_exceptions(session, [one.id for one in raised], how, now)


def _cause(subscriber_id: int) -> str:
    return f"{RULE}:{subscriber_id}"


def _listed(wanted: Wanted) -> dict[str, Any]:
    lists = {name: sorted(set(getattr(wanted, name))) for name in ("types", "plants", "items")}
    return {**lists, "concurrency": wanted.concurrency}


def _of(subscriber_id: int) -> Any:
    changed = update(WebhookSubscriber).where(WebhookSubscriber.id == subscriber_id)
    return changed.execution_options(synchronize_session=False)
