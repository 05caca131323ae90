"""What a person has to know of and no message says: business exceptions."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, ToldString, ToldText, UtcInstant

UNRESOLVED = text("state <> 'resolved'")


class BusinessException(Base):
    """One cause, from when it was first seen until it is gone or a person says what became of it. ``cause`` is the same
    for the same cause, and there is one unresolved row of it at most; ``times`` counts how often it was seen.

    ``missing_from`` and ``missing_to`` are numbers or instants, as the rule has it; ``detail`` holds what else the rule
    knows. ``resolved_by`` is ``lineside`` where the cause was gone by itself.
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
    )
