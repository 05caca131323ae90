"""Postings: one row a message, event and target, with every attempt; and the reversals of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, SmallInteger, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, ToldString, ToldText, UtcInstant

HELD = "quality.held.v1"
UNTOLD_STATES = ("planned", "sending", "refused", "unknown")
UNTOLD_HOLDS = text("kind = 'quality.held.v1' AND state IN ('planned', 'sending', 'refused', 'unknown')")
"""Quality holds that a target is to know of and is not known to."""


class Posting(Base):
    """What one target is to hold of one event, or the reversal of what it holds (``reverses_id``). ``posting_key`` is
    what the target is asked by. ``generation``: how often the message's postings were reversed before this one.

    What trails is tried for itself, not with its message: ``retry_at``, when it may be tried again after a failure;
    ``retries`` and ``retrying_since``: since the target was last heard of; ``waiting_since``: since it lacks what it
    names."""

    __tablename__ = "postings"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"))
    plant: Mapped[str] = mapped_column(String(16))
    ordinal: Mapped[int] = mapped_column(SmallInteger)
    target: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(80))
    required: Mapped[bool]
    state: Mapped[str] = mapped_column(String(12))
    posting_key: Mapped[str] = mapped_column(String(40), unique=True)
    mapping_version: Mapped[str | None] = mapped_column(String(64))
    document: Mapped[Any] = mapped_column(JsonText)
    attempts: Mapped[int] = mapped_column(default=0)
    generation: Mapped[int] = mapped_column(default=0, server_default="0")
    reverses_id: Mapped[int | None] = mapped_column(BigId)
    reference: Mapped[str | None] = mapped_column(ToldString(200))
    answer: Mapped[Any] = mapped_column(JsonText, nullable=True)
    reason_code: Mapped[str | None] = mapped_column(ToldString(60))
    reason: Mapped[str | None] = mapped_column(ToldText)
    retry_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    retries: Mapped[int] = mapped_column(default=0, server_default="0")
    retrying_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    waiting_since: Mapped[datetime | None] = mapped_column(UtcInstant)
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_postings_message", "message_id", "ordinal"),
        Index("ix_postings_target_state", "target", "state"),
        Index("ix_postings_holds", "plant", "id", postgresql_where=UNTOLD_HOLDS, sqlite_where=UNTOLD_HOLDS),
    )


class PostingAttempt(Base):
    """One call, or one question after a call whose outcome was unknown. ``ended_at`` NULL: it never reported back."""

    __tablename__ = "posting_attempts"

    posting_id: Mapped[int] = mapped_column(BigId, ForeignKey("postings.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    started_at: Mapped[datetime] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    worker: Mapped[str] = mapped_column(String(120))
    outcome: Mapped[str | None] = mapped_column(String(20))
    detail: Mapped[str | None] = mapped_column(ToldText)


class ReversalOrder(Base):
    """That everything which targets hold of this generation of a message is to be reversed: by whose order and why.
    It is carried out as long as the message is of this generation. ``ends_in``: the message's state afterwards; what
    is ``dead`` then is so for the reason that stands here."""

    __tablename__ = "reversal_orders"

    message_id: Mapped[int] = mapped_column(BigId, ForeignKey("messages.id"), primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    ordered_at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(ToldText)
    ends_in: Mapped[str] = mapped_column(String(12))
    dead_code: Mapped[str | None] = mapped_column(ToldString(60))
    dead_reason: Mapped[str | None] = mapped_column(ToldText)
    dead_field: Mapped[str | None] = mapped_column(ToldString(300))
