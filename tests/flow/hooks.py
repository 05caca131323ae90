"""A subscriber, its receiver, and events that are told, for tests of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert, select

from app.access.sealing import Seal
from app.adapters.guarded_http import GuardedHttp, Reach
from app.store.documents import ENRICHED, save_documents
from app.store.feed_tables import FeedEntry
from app.store.messages_tables import Message
from app.store.session import Store
from app.store.webhook_tables import WebhookDelivery, WebhookSubscriber
from app.webhooks.sending import PURPOSE, WebhookSender
from app.webhooks.subscribers import Wanted, add_subscriber
from config.settings import load_settings
from tests.factories import NOON, accept, move_event
from tests.fakes import Clock

LOCAL = Reach(("127.0.0.1",))


@dataclass
class Hooks:
    """``sender`` waits exactly as long as the schedule says; ``clock`` is turned by hand."""

    store: Store
    home: Path
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    reach: Reach = LOCAL
    told: int = 0

    @property
    def seal(self) -> Seal:
        return Seal(load_settings({"LINESIDE_HOME": str(self.home), "LINESIDE_SECRET_KEY": "s" * 32}), PURPOSE)

    @property
    def sender(self) -> WebhookSender:
        http = GuardedHttp(2.0, 4, self.reach)
        return WebhookSender(self.store, self.seal, http, self.clock, jitter=lambda low, high: 1.0)

    def subscribe(self, url: str, name: str = "bi", wanted: Wanted | None = None) -> tuple[int, str]:
        with self.store.writing() as session:
            return add_subscriber(session, self.seal, name, url, wanted or Wanted(), "ada", self.clock())

    def tell(self, *lots: str | None) -> list[str]:
        """Have the feed tell of a move of each lot; their webhook ids."""
        messages = []
        for lot in lots:
            self.told += 1
            messages.append(move_event(f"m{self.told}", lot=lot))
        ids = accept(self.store, *messages)
        data = {"event_time": "2026-03-02T09:00:00Z", "item": "WHEEL-10", "quantity": {"value": "2", "uom": "EA"}}
        with self.store.writing() as session:
            for key, lot in zip(ids, lots, strict=True):
                event = {**data, "lot": lot or "none", "from": {"storage": "A"}, "to": {"storage": "B"}}
                body = [{"type": "inventory.moved.v1", "data": event, "context": {"items": {}}}]
                save_documents(session, {key: body}, ENRICHED, NOON)
                if lot is not None:
                    session.get_one(Message, key).ordering_key = f"lot:{lot}"
                row = {"message_id": key, "event_index": 0, "undone": False, "plant": "P100"}
                session.execute(insert(FeedEntry).values(row | {"type": "inventory.moved.v1", "told_at": NOON}))
        return [f"{key}-0" for key in ids]

    def serve(self, subscriber_id: int, seconds: float = 20.0) -> None:
        """Until nothing is due any more."""
        assert not self.sender.serve(subscriber_id, seconds)

    def wait(self, seconds: float) -> None:
        self.clock.now += timedelta(seconds=seconds)

    def states(self, subscriber_id: int) -> dict[str, str]:
        query = select(WebhookDelivery).where(WebhookDelivery.subscriber_id == subscriber_id)
        with self.store.reading() as session:
            return {row.webhook_id: row.state for row in session.scalars(query.order_by(WebhookDelivery.id))}

    def subscriber(self, subscriber_id: int) -> WebhookSubscriber:
        with self.store.reading() as session:
            return session.get_one(WebhookSubscriber, subscriber_id)

    def reasons(self) -> Sequence[str | None]:
        with self.store.reading() as session:
            return session.scalars(select(WebhookDelivery.reason).order_by(WebhookDelivery.id)).all()
