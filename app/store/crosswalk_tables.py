"""Crosswalks: what a system calls a thing, and what that becomes on the other side."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ToldText, UtcInstant, plain_text


class CrosswalkEntry(Base):
    """One value of a source or target (``system``) in one of its tables (``name``: units, reasons, ...)."""

    __tablename__ = "crosswalk_entries"

    system: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(plain_text(100), primary_key=True)
    becomes: Mapped[str] = mapped_column(String(100))
    changed_at: Mapped[datetime] = mapped_column(UtcInstant)
    changed_by: Mapped[str] = mapped_column(String(120))


class CrosswalkVersion(Base):
    """Counts the changes of a system's tables. Its row is what two people who change them wait for each other at, so
    whoever has read a version has read everything up to it."""

    __tablename__ = "crosswalk_versions"

    system: Mapped[str] = mapped_column(String(64), primary_key=True)
    version: Mapped[int] = mapped_column(BigId)


class CrosswalkChange(Base):
    """What was changed, appended and never changed itself. ``before`` is NULL for a new entry, ``after`` for one that
    was removed."""

    __tablename__ = "crosswalk_changes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(40))
    value: Mapped[str] = mapped_column(String(100))
    before: Mapped[str | None] = mapped_column(String(100))
    after: Mapped[str | None] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    note: Mapped[str | None] = mapped_column(ToldText)

    __table_args__ = (Index("ix_crosswalk_changes_table", "system", "name", "id"),)
