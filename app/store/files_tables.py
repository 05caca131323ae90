"""Dropped files and how far each was read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ToldString, ToldText, UtcInstant


class DroppedFile(Base):
    """One file of a source, known by its content: the same bytes under another name are the same file.
    ``rows_done`` is committed together with the messages of those rows, so a crash resumes at the next row;
    ``errors_bytes`` is how much of the errors file belongs to them. ``watchers_lost``: how many watchers ended over it
    since; ``held_by`` is the last one's token."""

    __tablename__ = "files"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    source: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(ToldString(255))
    sha256: Mapped[str] = mapped_column(String(64))
    size_bytes: Mapped[int] = mapped_column(BigId)
    state: Mapped[str] = mapped_column(String(12))
    rows_done: Mapped[int] = mapped_column(default=0)
    rows_accepted: Mapped[int] = mapped_column(default=0)
    rows_repeated: Mapped[int] = mapped_column(default=0)
    rows_refused: Mapped[int] = mapped_column(default=0)
    errors_bytes: Mapped[int] = mapped_column(BigId, default=0)
    watchers_lost: Mapped[int] = mapped_column(SmallInteger, default=0)
    held_by: Mapped[str | None] = mapped_column(String(64))
    reason: Mapped[str | None] = mapped_column(ToldText)
    taken_at: Mapped[datetime] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (UniqueConstraint("source", "sha256"),)
