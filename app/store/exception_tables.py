"""What a person has to know of and no message says: business exceptions."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldString, ToldText, UtcInstant

UNRESOLVED = text("state <> 'resolved'")
WATCHED = text("state <> 'resolved' OR waived")
"""Those whose cause is looked at again: it may be gone."""
TO_ATTEND = text("attend_at IS NOT NULL")
NOTICE_WAITS = text("state = 'waiting'")


class BusinessException(Base):
    """One cause, from when it was first seen until it is gone or a person says what became of it. ``cause`` is the same
    for the same cause, and there is one unresolved row of it at most; ``times`` counts how often it was seen.

    ``missing_from`` and ``missing_to`` are numbers or instants, as the rule has it; ``detail`` holds what else the rule
    knows. ``resolved_by`` is ``lineside`` where the cause was gone by itself; ``waived``: a person resolved it, and its
    cause stands still, so that it is not raised again before that is gone.

    ``object_type`` and ``object_id``: the business object that it is about; ``messages``: ids of those behind it, and
    how many more; ``value_at_risk`` in ``currency``, NULL where it is not known. ``attend_at``: when it is to be looked
    at next whether somebody is to be told, ``told_at`` when its owner was, ``escalation``: how many steps it went up.
    """

    __tablename__ = "business_exceptions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    rule: Mapped[str] = mapped_column(String(40))
    cause: Mapped[str] = mapped_column(String(400))
    plant: Mapped[str | None] = mapped_column(String(16))
    source: Mapped[str | None] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(ToldString(255))
    severity: Mapped[str] = mapped_column(String(10))
    message: Mapped[str] = mapped_column(ToldText)
    missing_from: Mapped[str | None] = mapped_column(ToldString(40))
    missing_to: Mapped[str | None] = mapped_column(ToldString(40))
    detail: Mapped[Any] = mapped_column(JsonText, nullable=True)
    state: Mapped[str] = mapped_column(String(12))
    times: Mapped[int]
    first_seen_at: Mapped[datetime] = mapped_column(UtcInstant)
    last_seen_at: Mapped[datetime] = mapped_column(UtcInstant)
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    acknowledged_by: Mapped[str | None] = mapped_column(String(120))
    resolved_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    resolved_by: Mapped[str | None] = mapped_column(String(120))
    resolution: Mapped[str | None] = mapped_column(ToldText)
    waived: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    process: Mapped[str | None] = mapped_column(String(12))
    object_type: Mapped[str | None] = mapped_column(String(24))
    object_id: Mapped[str | None] = mapped_column(ToldString(255))
    messages: Mapped[Any] = mapped_column(JsonText, nullable=True)
    owner: Mapped[str | None] = mapped_column(String(40))
    value_at_risk: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    currency: Mapped[str | None] = mapped_column(String(3))
    attend_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    told_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    escalation: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (
        Index(
            "uq_business_exceptions_unresolved_cause",
            "cause",
            unique=True,
            postgresql_where=UNRESOLVED,
            sqlite_where=UNRESOLVED,
        ),
        Index(
            "ix_business_exceptions_unresolved",
            "rule",
            "plant",
            "state",
            postgresql_where=UNRESOLVED,
            sqlite_where=UNRESOLVED,
        ),
        Index(
            "ix_business_exceptions_watched",
            "rule",
            "plant",
            "id",
            postgresql_where=WATCHED,
            sqlite_where=WATCHED,
        ),
        Index(
            "ix_business_exceptions_attend",
            "attend_at",
            "id",
            postgresql_where=TO_ATTEND,
            sqlite_where=TO_ATTEND,
        ),
        Index("ix_business_exceptions_open", "id", postgresql_where=UNRESOLVED, sqlite_where=UNRESOLVED),
        Index("ix_business_exceptions_open_plant", "plant", "id", postgresql_where=UNRESOLVED, sqlite_where=UNRESOLVED),
        Index("ix_business_exceptions_cause", "cause", "id"),
        Index("ix_business_exceptions_object", "object_type", "object_id", "id"),
    )


class ExceptionWalk(Base):
    """How far a rule has looked through what may be wrong in a plant. ``after``: where it goes on, NULL at the begin;
    ``watched_after``: likewise among what it raised."""

    __tablename__ = "exception_walks"

    rule: Mapped[str] = mapped_column(String(40), primary_key=True)
    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    after: Mapped[Any] = mapped_column(JsonText, nullable=True)
    watched_after: Mapped[int] = mapped_column(BigId, default=0)
    looked_at: Mapped[datetime] = mapped_column(UtcInstant)


class ExceptionNotice(Base):
    """Something that one owner is told by one channel, once. ``exception_id`` is NULL for a digest. It is sent when it
    is due, and due again later whenever that was not possible or its worker ended; ``webhook_id`` stays the same, so
    that a receiver knows it again. ``state``: waiting, sent, or dead after too many tries."""

    __tablename__ = "exception_notices"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    exception_id: Mapped[int | None] = mapped_column(BigId)
    kind: Mapped[str] = mapped_column(String(12))
    owner: Mapped[str] = mapped_column(String(40))
    channel: Mapped[str] = mapped_column(String(64))
    webhook_id: Mapped[str] = mapped_column(String(40), unique=True)
    body: Mapped[Any] = mapped_column(JsonText)
    state: Mapped[str] = mapped_column(String(8))
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(UtcInstant)
    created_at: Mapped[datetime] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    trouble: Mapped[str | None] = mapped_column(ToldText)

    __table_args__ = (
        Index("ix_exception_notices_due", "due_at", "id", postgresql_where=NOTICE_WAITS, sqlite_where=NOTICE_WAITS),
        Index("ix_exception_notices_exception", "exception_id", "id"),
        Index("ix_exception_notices_owner", "owner", "created_at"),
    )
