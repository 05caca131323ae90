"""What Lineside read by itself: how far each reading came, and what each record was when it was read last."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, ToldText, UtcInstant


class ReadingMark(Base):
    """One reading of the topology. ``cursor_at`` is an instant of the target's own clock: what it changed before then
    was read. ``read_at`` is when that was, ``full_at`` when all was read last, and ``due_at`` when to read again."""

    __tablename__ = "reading_marks"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(String(40), primary_key=True)
    cursor_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    read_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    full_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    due_at: Mapped[datetime] = mapped_column(UtcInstant)


class ReadRecord(Base):
    """One record, as its last message has it: written in the transaction that accepts that message, so that it becomes
    another one exactly when it differs. ``revision`` 0: no message yet. ``fault``: why what was read last could not be
    used."""

    __tablename__ = "read_records"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    domain: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    revision: Mapped[int]
    changed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    fault: Mapped[str | None] = mapped_column(ToldText)
