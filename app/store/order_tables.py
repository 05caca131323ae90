"""What is remembered so that order holds: who told the newest state of a thing, how far a row of numbers came, and what
is still to be woken."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, JsonText, UtcInstant, plain_text


class ToldState(Base):
    """Which telling of an item, a bill of materials or an order's release stands, so that an older one changes nothing.
    ``message_id`` is NULL where it was read from the system of record."""

    __tablename__ = "told_states"

    thing: Mapped[str] = mapped_column(String(160), primary_key=True)
    message_id: Mapped[int | None] = mapped_column(BigId)
    source: Mapped[str] = mapped_column(String(64))
    ordering_key: Mapped[str | None] = mapped_column(String(250))
    sequence_rank: Mapped[str | None] = mapped_column(plain_text(64))
    as_of: Mapped[datetime] = mapped_column(UtcInstant)


class SequencePosition(Base):
    """How far the numbers of a source's key have come without a gap. ``reached`` is NULL while none has taken effect;
    ``passed``: numbers beyond it that a person discarded."""

    __tablename__ = "sequence_positions"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    source: Mapped[str] = mapped_column(String(64), primary_key=True)
    ordering_key: Mapped[str] = mapped_column(String(250), primary_key=True)
    reached: Mapped[int | None] = mapped_column(BigId)
    passed: Mapped[Any] = mapped_column(JsonText)
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)


class OpenWake(Base):
    """Something arrived for which too many wait to be woken at once: they are, portion after portion, in the order of
    their ids. ``again``: it has arrived once more meanwhile."""

    __tablename__ = "open_wakes"

    reference: Mapped[str] = mapped_column(String(300), primary_key=True)
    after_id: Mapped[int] = mapped_column(BigId)
    again: Mapped[bool]
    opened_at: Mapped[datetime] = mapped_column(UtcInstant)
