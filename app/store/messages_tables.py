"""The inbox: messages, their payloads and documents, their timeline, and the lanes that keep order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, ToldString, ToldText, UtcInstant, plain_text


class Message(Base):
    """One message that was accepted. ``step`` is what is to be done next and ``due_at`` when; both are NULL once
    nothing is to be done. A claimed message is due again when its lease ends, so a killed worker needs no clean-up.
    A posted message with a step is being reversed, or what is not required of it trails.

    ``attempts``: how often it was looked at before this step; ``retries`` and ``retrying_since``: since the target was
    last heard of; ``waiting_since``: since it lacks what it names; ``workers_lost``: how many ended while they held it.
    ``requeued``: how a person had it requeued: ``in_order``, or ``out_of_order`` where it may come after later ones.
    ``archive_id``: the file that its payload and all that became of it were exported to before they were deleted here.
    """

    __tablename__ = "messages"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(64))
    source_message_id: Mapped[str] = mapped_column(String(200))
    type: Mapped[str] = mapped_column(String(80))
    digest: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    step: Mapped[str | None] = mapped_column(String(10))
    lane: Mapped[int] = mapped_column(SmallInteger, default=0)
    due_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    attempts: Mapped[int] = mapped_column(default=0)
    workers_lost: Mapped[int] = mapped_column(SmallInteger, default=0, server_default="0")
    retries: Mapped[int] = mapped_column(default=0, server_default="0")
    retrying_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    waiting_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    ordering_key: Mapped[str | None] = mapped_column(String(250))
    key_rank: Mapped[str] = mapped_column(plain_text(64), default="")
    sequence: Mapped[str | None] = mapped_column(String(40))
    waiting_for: Mapped[str | None] = mapped_column(String(300))
    reason_code: Mapped[str | None] = mapped_column(ToldString(60))
    reason: Mapped[str | None] = mapped_column(ToldText)
    reason_field: Mapped[str | None] = mapped_column(ToldString(300))
    received_at: Mapped[datetime] = mapped_column(UtcInstant)
    state_at: Mapped[datetime] = mapped_column(UtcInstant)
    traceparent: Mapped[str | None] = mapped_column(ToldString(64))
    mapping_version: Mapped[str | None] = mapped_column(String(64))
    generation: Mapped[int] = mapped_column(default=0, server_default="0")
    requeued: Mapped[str | None] = mapped_column(String(12))
    file_id: Mapped[int | None] = mapped_column(BigId)
    row_number: Mapped[int | None]
    archive_id: Mapped[int | None] = mapped_column(BigId)

    __table_args__ = (
        UniqueConstraint("source", "source_message_id"),
        Index(
            "ix_messages_due",
            "plant",
            "step",
            "lane",
            "due_at",
            "id",
            postgresql_where=text("step IS NOT NULL"),
            sqlite_where=text("step IS NOT NULL"),
        ),
        Index(
            "ix_messages_unfinished_key",
            "plant",
            "ordering_key",
            "key_rank",
            "id",
            postgresql_where=text("ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"),
            sqlite_where=text("ordering_key IS NOT NULL AND state NOT IN ('posted', 'discarded', 'compensated')"),
        ),
        Index(
            "ix_messages_waiting_for",
            "waiting_for",
            "due_at",
            "id",
            postgresql_where=text("waiting_for IS NOT NULL"),
            sqlite_where=text("waiting_for IS NOT NULL"),
        ),
        Index(
            "ix_messages_posted_key",
            "plant",
            "ordering_key",
            "key_rank",
            "id",
            postgresql_where=text("ordering_key IS NOT NULL AND state = 'posted'"),
            sqlite_where=text("ordering_key IS NOT NULL AND state = 'posted'"),
        ),
        Index(
            "ix_messages_trailing",
            "plant",
            # The same in all its rows; without it SQLite takes the index of plants and states below, and looks at all
            # that was ever posted.
            "state",
            "ordering_key",
            "state_at",
            "key_rank",
            "id",
            postgresql_where=text("state = 'posted' AND step IS NOT NULL"),
            sqlite_where=text("state = 'posted' AND step IS NOT NULL"),
        ),
        Index("ix_messages_plant_state", "plant", "state", "id"),
        Index("ix_messages_state", "state", "id"),
    )


class Payload(Base):
    """What was received, byte for byte; written once and never changed. ``attributes`` are the CloudEvents
    attributes of a binary-mode event or the query of a vendor's own payload."""

    __tablename__ = "payloads"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True, autoincrement=False)
    content_type: Mapped[str] = mapped_column(ToldString(120))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    attributes: Mapped[Any] = mapped_column(JsonText, nullable=True)


class Correction(Base):
    """A person's replacement for a payload that could not be used; the payload itself stays as it came."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class MessageDocument(Base):
    """What a message became: its ``canonical`` events after transform, its ``enriched`` events after enrich."""

    __tablename__ = "documents"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True, autoincrement=False)
    step: Mapped[str] = mapped_column(String(10), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    body: Mapped[Any] = mapped_column(JsonText)


class TimelineEntry(Base):
    """One row a move: which state, when, by whom, and why. ``from_state`` is NULL for the acceptance itself."""

    __tablename__ = "timeline"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    from_state: Mapped[str | None] = mapped_column(String(12))
    to_state: Mapped[str] = mapped_column(String(12))
    note: Mapped[str | None] = mapped_column(ToldText)


class Lane(Base):
    """One ordering lane of a plant; whoever holds its lease posts its messages, and nobody else does."""

    __tablename__ = "lanes"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    lane: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    lease_token: Mapped[str | None] = mapped_column(String(32))
    lease_until: Mapped[datetime] = mapped_column(UtcInstant)


class StateChange(Base):
    """How many messages entered (positive) or left (negative) a state in one transaction. Written without touching a
    shared row, so that workers never queue for a counter; the relay folds these into ``state_counts``."""

    __tablename__ = "state_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(String(16))
    type: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(12))
    change: Mapped[int]


class StateCount(Base):
    """Folded counts; the exact number is this row plus what ``state_changes`` still holds."""

    __tablename__ = "state_counts"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    type: Mapped[str] = mapped_column(String(80), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), primary_key=True)
    count: Mapped[int] = mapped_column(BigId)
