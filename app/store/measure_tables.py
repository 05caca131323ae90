"""Measures for the business: how long things took and how many there were, by plant, process and day."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, UtcInstant


class Measure(Base):
    """How many of a measure fell into this bucket on this day of the plant's own calendar. ``bucket`` numbers the
    bounds of ``app/projections/buckets.py`` for what is a duration, and is 0 for what is only counted. An empty plant
    is a source that is measured as a whole."""

    __tablename__ = "measures"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    measured_on: Mapped[date] = mapped_column(Date, primary_key=True)
    process: Mapped[str] = mapped_column(String(16), primary_key=True)
    measure: Mapped[str] = mapped_column(String(24), primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigId)


class MeasureTotal(Base):
    """The same over all days, which is what Prometheus asks for."""

    __tablename__ = "measure_totals"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    process: Mapped[str] = mapped_column(String(16), primary_key=True)
    measure: Mapped[str] = mapped_column(String(24), primary_key=True)
    bucket: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(BigId)


class MeasureNote(Base):
    """Something that happened and is not measured yet: a message was posted, died, was discarded or undone, or
    a business exception was raised or resolved (``subject_id`` is its id). Written in the transaction that makes it so,
    and taken away in the one that measures it. What moves stock, or is reported of an order, has its ``Effect``
    instead."""

    __tablename__ = "measure_notes"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(String(10))
    subject_id: Mapped[int] = mapped_column(BigId)
    at: Mapped[datetime] = mapped_column(UtcInstant)
