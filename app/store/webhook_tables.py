"""Who is told of events by webhook, and what became of each delivery."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, ToldText, UtcInstant, plain_text

DUE = text("state = 'due'")
ENDED = text("ended_at IS NOT NULL")


class WebhookSubscriber(Base):
    """One address that is told of events. ``types``, ``plants`` and ``items``: only those; empty for all. ``secrets``:
    sealed, the newest first, each with the instant until which it signs (none for the newest). ``told_position``: up
    to where deliveries were made from the feed. ``failures``: attempts without an answer of success since the last
    one, the first of them at ``failing_since``; nothing is sent before ``open_at``."""

    __tablename__ = "webhook_subscribers"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(plain_text(80), unique=True)
    url: Mapped[str] = mapped_column(ToldText)
    secrets: Mapped[Any] = mapped_column(JsonText)
    types: Mapped[Any] = mapped_column(JsonText)
    plants: Mapped[Any] = mapped_column(JsonText)
    items: Mapped[Any] = mapped_column(JsonText)
    concurrency: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12))
    state_reason: Mapped[str | None] = mapped_column(ToldText)
    state_at: Mapped[datetime] = mapped_column(UtcInstant)
    told_position: Mapped[int] = mapped_column(BigId)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    open_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    created_by: Mapped[str] = mapped_column(String(120))


class WebhookDelivery(Base):
    """One event for one subscriber, for as long as it takes to be delivered. ``webhook_id`` is the event's own id, the
    same for each attempt and each replay; ``position`` its place in the feed, none for a test. ``tries_since`` is when
    the first attempt was made since it was due anew."""

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    subscriber_id: Mapped[int] = mapped_column(BigId, ForeignKey("webhook_subscribers.id"))
    webhook_id: Mapped[str] = mapped_column(plain_text(80))
    position: Mapped[int | None] = mapped_column(BigId)
    ordering_key: Mapped[str | None] = mapped_column(plain_text(400))
    state: Mapped[str] = mapped_column(String(12))
    due_at: Mapped[datetime] = mapped_column(UtcInstant)
    attempts: Mapped[int] = mapped_column(default=0)
    tries_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime | None] = mapped_column(UtcInstant)
    reason: Mapped[str | None] = mapped_column(ToldText)
    made_at: Mapped[datetime] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        UniqueConstraint("subscriber_id", "webhook_id", name="uq_webhook_deliveries_event"),
        Index("ix_webhook_deliveries_due", "subscriber_id", "due_at", "id", postgresql_where=DUE, sqlite_where=DUE),
        Index(
            "ix_webhook_deliveries_key", "subscriber_id", "ordering_key", "id", postgresql_where=DUE, sqlite_where=DUE
        ),
        Index("ix_webhook_deliveries_state", "subscriber_id", "state", "id"),
        Index("ix_webhook_deliveries_ended", "ended_at", "id", postgresql_where=ENDED, sqlite_where=ENDED),
    )


class WebhookAttempt(Base):
    """One call of a subscriber. ``status``: what it answered, none where no whole answer came; ``reason``: why that is
    no success."""

    __tablename__ = "webhook_attempts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    delivery_id: Mapped[int] = mapped_column(BigId, index=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    took_ms: Mapped[int]
    status: Mapped[int | None]
    reason: Mapped[str | None] = mapped_column(ToldText)
