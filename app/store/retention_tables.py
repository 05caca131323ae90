"""What was exported and then deleted: one row a file, and how far the rounds have come."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, UtcInstant


class Archive(Base):
    """One file of exported messages, written, flushed to the disk and read back before its row was. ``path`` is below
    the archive's folder on ``host``; ``sha256`` of the file as it lies there; ``bytes`` of it; ``messages`` in it."""

    __tablename__ = "archives"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    path: Mapped[str] = mapped_column(String(200), unique=True)
    host: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64))
    bytes: Mapped[int] = mapped_column(BigId)
    messages: Mapped[int]
    made_at: Mapped[datetime] = mapped_column(UtcInstant)


class RetentionMark(Base):
    """Up to which message id the present walk through the messages has come; it begins anew at the end."""

    __tablename__ = "retention_marks"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    after_id: Mapped[int] = mapped_column(BigId)
