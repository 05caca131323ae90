"""Webhook subscribers, changed in the name of a person: what was done and its record are committed together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.access.sealing import Seal
from app.adapters.guarded_http import Reach, UrlRefused
from app.audit.trail import record
from app.projections.feed_reading import first_position_since, newest_position
from app.store.session import Store
from app.store.webhook_tables import WebhookAttempt, WebhookDelivery, WebhookSubscriber
from app.web.problems import FieldError, Problem
from app.webhooks import subscribers
from app.webhooks.deliveries import count_undelivered, make_test, replay
from app.webhooks.sending import PURPOSE
from app.webhooks.subscribers import (
    SubscriberRefused,
    Wanted,
    add_subscriber,
    change_subscriber,
    check_wanted,
    find_subscriber,
    remove_subscriber,
)
from config.settings import Settings
from config.topology import Topology

REPLAY_MOST = 10_000
REPLAY_PAGES_MOST = 200
_REPLAY_PAGE = 500
Found = TypeVar("Found")


@dataclass(frozen=True)
class Webhooks:
    """What the acts below need. ``plants`` are those of the topology."""

    store: Store
    seal: Seal
    reach: Reach
    plants: Collection[str]
    actor: str
    now: datetime

    def add(self, name: str, url: str, wanted: Wanted) -> tuple[int, str]:
        """The subscriber's id, and its secret, shown once. Raises SubscriberRefused."""
        self._check(url, wanted)
        with self.store.writing() as session:
            made, secret = add_subscriber(session, self.seal, name, url, wanted, self.actor, self.now)
            self._record(session, "created", name, {"url": url, **_told_wanted(wanted)})
        return made, secret

    def change(self, subscriber_id: int, url: str | None, fields: Mapping[str, Any]) -> None:
        """Only what is given. Raises SubscriberRefused, or Problem where there is none."""

        def act(session: Session, row: WebhookSubscriber) -> None:
            kept = Wanted(row.types, row.plants, row.items, row.concurrency)
            wanted = Wanted(**{**kept.__dict__, **fields})
            self._check(url or row.url, wanted)
            change_subscriber(session, row.id, url or row.url, wanted)
            self._record(session, "changed", row.name, {"url": url or row.url, **_told_wanted(wanted)})

        self._act(subscriber_id, act)

    def pause(self, subscriber_id: int, reason: str) -> bool:
        def act(session: Session, row: WebhookSubscriber) -> bool:
            if not subscribers.pause_subscriber(session, row, reason, self.now):
                return False
            self._record(session, "paused", row.name, {"reason": reason})
            return True

        return self._act(subscriber_id, act)

    def resume(self, subscriber_id: int) -> bool:
        def act(session: Session, row: WebhookSubscriber) -> bool:
            if not subscribers.resume_subscriber(session, row, self.now):
                return False
            self._record(session, "resumed", row.name, None)
            return True

        return self._act(subscriber_id, act)

    def rotate(self, subscriber_id: int) -> str:
        """The new secret, shown once."""

        def act(session: Session, row: WebhookSubscriber) -> str:
            self._record(session, "secret_rotated", row.name, None)
            return subscribers.rotate_secret(session, self.seal, row, self.now)

        return self._act(subscriber_id, act)

    def send_test(self, subscriber_id: int) -> int:
        """The delivery's id."""

        def act(session: Session, row: WebhookSubscriber) -> int:
            self._record(session, "tested", row.name, None)
            return make_test(session, row.id, self.now)

        return self._act(subscriber_id, act)

    def replay(self, subscriber_id: int, span: ReplaySpan) -> Replayed:
        """What the span holds and the subscriber wants today is sent again, under the same webhook ids; at most
        REPLAY_MOST at once."""
        made, after = 0, span.after
        goes_on: int | None = after
        with self.store.reading() as session:
            newest = newest_position(session)
            if span.since is not None:
                goes_on = after = first_position_since(session, span.since)
            up_to = newest if span.until is None else first_position_since(session, span.until)
        up_to = min(up_to, newest if span.up_to is None else span.up_to)
        for _ in range(REPLAY_PAGES_MOST):
            if goes_on is None or made >= REPLAY_MOST:
                break
            after = goes_on

            def act(session: Session, row: WebhookSubscriber, start: int = after) -> tuple[int, int | None]:
                return replay(session, row, start, up_to, _REPLAY_PAGE, self.now)

            more, goes_on = self._act(subscriber_id, act)
            made += more
        detail = {"after": span.after, "up_to": up_to, "events": made}
        self._act(subscriber_id, lambda session, row: self._record(session, "replayed", row.name, detail))
        return Replayed(made, goes_on)

    def remove(self, subscriber_id: int) -> None:
        """With its deliveries, some hundreds in a transaction; paused first, so that nothing is sent meanwhile."""
        name = self._act(subscriber_id, self._begin_removal)
        is_over = False
        while not is_over:
            is_over = self._act(subscriber_id, lambda session, row: remove_subscriber(session, row, self.now))
        with self.store.writing() as session:
            self._record(session, "removed", name, None)

    def _begin_removal(self, session: Session, row: WebhookSubscriber) -> str:
        subscribers.pause_subscriber(session, row, "being removed", self.now)
        return row.name

    def _act(self, subscriber_id: int, act: Callable[[Session, WebhookSubscriber], Found]) -> Found:
        with self.store.writing() as session:
            row = find_subscriber(session, subscriber_id, lock=True)
            if row is None:
                raise Problem(404, "not_found", f"There is no webhook subscriber {subscriber_id}.")
            return act(session, row)

    def _check(self, url: str, wanted: Wanted) -> None:
        try:
            self.reach.check_url(url)
        except UrlRefused as error:
            raise SubscriberRefused("url", str(error)) from None
        check_wanted(wanted, sorted(self.plants))

    def _record(self, session: Session, act: str, name: str, detail: Mapping[str, Any] | None) -> None:
        record(session, self.actor, f"webhook.{act}", f"webhook:{name}", detail, self.now)


@dataclass(frozen=True)
class ReplaySpan:
    """Positions of the feed, or instants at which it told; each may be left out."""

    after: int = 0
    up_to: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Replayed:
    """``next_after``: behind which position the rest begins, None where that was all."""

    events: int
    next_after: int | None = field(default=None)


def webhooks_of(store: Store, settings: Settings, topology: Topology, actor: str, now: datetime) -> Webhooks:
    seal, reach = Seal(settings, PURPOSE), Reach(topology.webhooks_allow)
    return Webhooks(store, seal, reach, frozenset(topology.plants), actor, now)


def refusal_of(error: SubscriberRefused) -> Problem:
    return Problem(422, "refused", f"{error.field}: {error}.", [FieldError(str(error), pointer=f"/{error.field}")])


def told_subscriber(session: Session, row: WebhookSubscriber, newest: int) -> dict[str, Any]:
    """As it is shown; its secrets are nowhere in it."""
    return {
        "id": row.id,
        "name": row.name,
        "url": row.url,
        "types": list(row.types),
        "plants": list(row.plants),
        "items": list(row.items),
        "concurrency": row.concurrency,
        "state": row.state,
        "state_reason": row.state_reason,
        "state_at": row.state_at,
        "undelivered": count_undelivered(session, row.id),
        "behind": max(0, newest - row.told_position),
        "failures": row.failures,
        "failing_since": row.failing_since,
        "open_at": row.open_at,
        "created_at": row.created_at,
        "created_by": row.created_by,
    }


def told_delivery(row: WebhookDelivery) -> dict[str, Any]:
    return {
        "id": row.id,
        "webhook_id": row.webhook_id,
        "message_id": int(row.webhook_id.partition("-")[0]) if row.position is not None else None,
        "position": row.position,
        "state": row.state,
        "attempts": row.attempts,
        "reason": row.reason,
        "due_at": row.due_at if row.state == "due" else None,
        "made_at": row.made_at,
        "ended_at": row.ended_at,
    }


def told_attempts(rows: Sequence[WebhookAttempt]) -> list[dict[str, Any]]:
    return [{"at": row.at, "took_ms": row.took_ms, "status": row.status, "reason": row.reason} for row in rows]


def _told_wanted(wanted: Wanted) -> dict[str, Any]:
    return {name: sorted(getattr(wanted, name)) for name in ("types", "plants", "items") if getattr(wanted, name)}
