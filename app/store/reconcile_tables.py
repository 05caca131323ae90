"""What other systems say that they have, and what came of holding it against Lineside's own picture."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldText, UtcInstant, plain_text


class Snapshot(Base):
    """All balances of one system at one time. ``origin``: ``read`` from the system, or the name of a file."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime] = mapped_column(UtcInstant)
    origin: Mapped[str] = mapped_column(ToldText)
    actor: Mapped[str] = mapped_column(String(120))
    rows: Mapped[int]

    __table_args__ = (Index("ix_snapshots_system", "system", "id"),)


class SnapshotRow(Base):
    """One balance, in the system's own unit. What the system does not tell is empty."""

    __tablename__ = "snapshot_rows"

    snapshot_id: Mapped[int] = mapped_column(BigId, ForeignKey("snapshots.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    storage: Mapped[str] = mapped_column(plain_text(80))
    lot: Mapped[str] = mapped_column(plain_text(80))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    uom: Mapped[str] = mapped_column(plain_text(16))

    __table_args__ = (Index("ix_snapshot_rows_item", "snapshot_id", "plant", "item"),)


class Reconciliation(Base):
    """One comparison of a snapshot. ``level``: by what it was compared (``item``, ``storage``, ``lot``)."""

    __tablename__ = "reconciliations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(64))
    snapshot_id: Mapped[int] = mapped_column(BigId, ForeignKey("snapshots.id"))
    level: Mapped[str] = mapped_column(String(8))
    made_at: Mapped[datetime] = mapped_column(UtcInstant)
    actor: Mapped[str] = mapped_column(String(120))
    compared: Mapped[int]
    differences: Mapped[int]
    unexplained: Mapped[int]
    notes: Mapped[Any] = mapped_column(JsonText)

    __table_args__ = (Index("ix_reconciliations_system", "system", "id"),)


class Difference(Base):
    """One place in which the system says something else than what was reported. ``causes`` is
    ``[{cause, quantity, messages, count, told}]``; ``unexplained`` is what they leave."""

    __tablename__ = "differences"

    reconciliation_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("reconciliations.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    storage: Mapped[str] = mapped_column(plain_text(80))
    lot: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    system_quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    reported_quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    unexplained: Mapped[Decimal] = mapped_column(ExactDecimal)
    causes: Mapped[Any] = mapped_column(JsonText)
