"""What all workers know of targets together: whether one answers, what is under way to it, what is paused."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Double, SmallInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, ToldText, UtcInstant


class TargetState(Base):
    """A target's circuit and its bucket of tokens; whoever chooses calls to the target holds this row."""

    __tablename__ = "target_states"

    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    circuit: Mapped[str] = mapped_column(String(10))
    failures: Mapped[int]
    openings: Mapped[int]
    opened_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    retry_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    tokens: Mapped[float | None] = mapped_column(Double)
    tokens_at: Mapped[datetime | None] = mapped_column(UtcInstant)


class TargetCalls(Base):
    """How many calls the holder of a lane may make to a target side by side. They end by ``until`` whatever became of
    the worker. A row of no calls says that the plant found no room there lately."""

    __tablename__ = "target_calls"

    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    holder: Mapped[str] = mapped_column(String(32), primary_key=True)
    plant: Mapped[str] = mapped_column(String(16))
    calls: Mapped[int] = mapped_column(SmallInteger)
    until: Mapped[datetime] = mapped_column(UtcInstant)


class TargetPause(Base):
    """A target to which nothing is posted until a person resumes it; one row while it is paused."""

    __tablename__ = "target_pauses"

    target: Mapped[str] = mapped_column(String(64), primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(UtcInstant)
    reason: Mapped[str] = mapped_column(ToldText)
    actor: Mapped[str] = mapped_column(String(120), default="lineside")


class PlantPause(Base):
    """A plant whose messages are taken and not worked on; one row while it is paused."""

    __tablename__ = "plant_pauses"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    paused_at: Mapped[datetime] = mapped_column(UtcInstant)
    reason: Mapped[str] = mapped_column(ToldText)
    actor: Mapped[str] = mapped_column(String(120))
