"""What sources were heard saying, and which of their numbers came."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, UtcInstant


class SourceNote(Base):
    """Noted in the transaction that stores messages or ends a file, and only ever added, so that no two writers wait
    for each other; whoever keeps the books takes them away. ``first`` to ``last`` came, each once."""

    __tablename__ = "source_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(String(64))
    plant: Mapped[str] = mapped_column(String(16))
    series: Mapped[str] = mapped_column(String(210))
    kind: Mapped[str] = mapped_column(String(12))
    first: Mapped[int | None] = mapped_column(BigInteger)
    last: Mapped[int | None] = mapped_column(BigInteger)
    run: Mapped[int | None]
    at: Mapped[datetime] = mapped_column(UtcInstant)


class SourceNumbers(Base):
    """One series of a source: the ranges of numbers that came, and when it was heard last. A ``plant`` of '' stands for
    all of them. A silence counts from ``counts_from``: the last message, or since when Lineside listens again."""

    __tablename__ = "source_numbers"

    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    series: Mapped[str] = mapped_column(String(210), primary_key=True)
    book: Mapped[Any] = mapped_column(JsonText, nullable=True)
    heard_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    counts_from: Mapped[datetime] = mapped_column(UtcInstant)
