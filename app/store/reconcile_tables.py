"""What other systems say that they have, and what came of holding it against Lineside's own picture."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldText, UtcInstant, plain_text

AWAITING = text("awaits IS NOT NULL")


class Snapshot(Base):
    """All balances of one system at one time. ``origin``: ``read`` from the system, or the name of a file.

    ``awaits``: it is still to be compared by itself, with the snapshot ``against_id`` where it has one, and how often
    that was begun."""

    __tablename__ = "snapshots"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(64))
    taken_at: Mapped[datetime] = mapped_column(UtcInstant)
    origin: Mapped[str] = mapped_column(ToldText)
    actor: Mapped[str] = mapped_column(String(120))
    rows: Mapped[int]
    awaits: Mapped[int | None]
    against_id: Mapped[int | None] = mapped_column(BigId)

    __table_args__ = (
        Index("ix_snapshots_system", "system", "id"),
        Index("ix_snapshots_awaiting", "id", postgresql_where=AWAITING, sqlite_where=AWAITING),
    )


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

    __table_args__ = (
        Index("ix_snapshot_rows_item", "snapshot_id", "plant", "item"),
        Index("ix_snapshot_rows_item_only", "snapshot_id", "item"),
    )


class Reconciliation(Base):
    """One comparison of a snapshot. ``level``: by what it was compared (``item``, ``storage``, ``lot``). ``against``:
    the other system, and its snapshot, where it was not compared with what was reported."""

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
    against: Mapped[str | None] = mapped_column(String(64))
    against_snapshot_id: Mapped[int | None] = mapped_column(BigId)

    __table_args__ = (
        Index("ix_reconciliations_system", "system", "id"),
        Index("ix_reconciliations_snapshot", "snapshot_id"),
        Index("ix_reconciliations_against_snapshot", "against_snapshot_id"),
    )


class Difference(Base):
    """One place in which the system says something else than what was reported, or than the other system says
    (``reported_quantity``). ``causes`` is ``[{cause, system, quantity, messages, count, told, mend}]``; ``unexplained``
    is what they leave."""

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


UNDER_WAY = text("state IN ('proposed', 'approved')")


class Proposal(Base):
    """What one person proposes to do about a report, and another decides. ``kind``: ``take_over`` or ``adjust``;
    ``number``: the difference that is meant, 0 for all of the report. ``state``: ``proposed``, ``approved``,
    ``rejected`` or ``expired``. ``plan`` is what it would do as it was proposed, ``outcome`` what it did.

    Of one difference, or report, there is one of a kind that is proposed or approved.
    """

    __tablename__ = "proposals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    reconciliation_id: Mapped[int] = mapped_column(BigId, ForeignKey("reconciliations.id"))
    kind: Mapped[str] = mapped_column(String(12))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    plan: Mapped[Any] = mapped_column(JsonText)
    reason: Mapped[str] = mapped_column(ToldText)
    proposed_by: Mapped[str] = mapped_column(String(120))
    proposed_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime] = mapped_column(UtcInstant)
    decided_by: Mapped[str | None] = mapped_column(String(120))
    decided_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    decision: Mapped[str | None] = mapped_column(ToldText)
    outcome: Mapped[Any] = mapped_column(JsonText, nullable=True)

    __table_args__ = (
        Index(
            "uq_proposals_under_way",
            "reconciliation_id",
            "kind",
            "number",
            unique=True,
            postgresql_where=UNDER_WAY,
            sqlite_where=UNDER_WAY,
        ),
        Index("ix_proposals_reconciliation", "reconciliation_id", "id"),
        Index("ix_proposals_state", "state", "id"),
    )


class ReconcileTurn(Base):
    """When a system's balances are read next to be compared, and how often that failed in a row."""

    __tablename__ = "reconcile_turns"

    system: Mapped[str] = mapped_column(String(64), primary_key=True)
    due_at: Mapped[datetime] = mapped_column(UtcInstant)
    failures: Mapped[int]


ASKED = text("ended_at IS NULL")


class ReconcileRequest(Base):
    """A comparison that a person asked for. It is over (``ended_at``) with its report, or with the ``trouble`` that
    kept it from one. ``snapshot_id``: what was read for it and is to be compared; ``begun``: how often the reading
    was."""

    __tablename__ = "reconcile_requests"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    system: Mapped[str] = mapped_column(String(64))
    against: Mapped[str | None] = mapped_column(String(64))
    level: Mapped[str] = mapped_column(String(8))
    asked_at: Mapped[datetime] = mapped_column(UtcInstant)
    asked_by: Mapped[str] = mapped_column(String(120))
    begun: Mapped[int]
    snapshot_id: Mapped[int | None] = mapped_column(BigId)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    reconciliation_id: Mapped[int | None] = mapped_column(BigId)
    trouble: Mapped[str | None] = mapped_column(ToldText)

    __table_args__ = (Index("ix_reconcile_requests_asked", "id", postgresql_where=ASKED, sqlite_where=ASKED),)
