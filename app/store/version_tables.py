"""Things that events tell as a whole, version by version, and the states of equipment."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldText, UtcInstant, plain_text
from app.store.ledger_tables import NOWHERE


class ToldVersion(Base):
    """What one event tells of an item, a bill of materials or a purchase order (``kind``) as a whole: ``body`` is its
    data. ``revision`` is empty where none is told; ``stands``: whether it is the last word about this revision."""

    __tablename__ = "told_versions"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    kind: Mapped[str] = mapped_column(plain_text(16))
    code: Mapped[str] = mapped_column(plain_text(80))
    revision: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    plant: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    effective_from_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    effective_until_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    body: Mapped[Any] = mapped_column(JsonText)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    stands: Mapped[bool] = mapped_column(default=False)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_told_versions_message", "message_id"),
        Index("ix_told_versions_code", "kind", "code", "id"),
        Index(
            "ix_told_versions_standing",
            "kind",
            "code",
            "revision",
            postgresql_where=text("stands"),
            sqlite_where=text("stands = 1"),
        ),
    )


class BomComponent(Base):
    """What a version of a bill of materials takes for its quantity, in the component's base unit."""

    __tablename__ = "bom_components"

    version_id: Mapped[int] = mapped_column(
        BigId, ForeignKey("told_versions.id"), primary_key=True, autoincrement=False
    )
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    item: Mapped[str] = mapped_column(plain_text(80))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    uom: Mapped[str] = mapped_column(plain_text(16))
    segment: Mapped[str | None] = mapped_column(plain_text(80))

    __table_args__ = (Index("ix_bom_components_item", "item", "version_id"),)


class EquipmentState(Base):
    """A state that equipment entered, as one event tells it. ``since_at``: when it entered it first, where it was told
    several times in a row; ``ended_at``: when the next one was told; ``follows``: whether ``from_state`` is the state
    that was told before."""

    __tablename__ = "equipment_states"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    equipment_id: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    state: Mapped[str] = mapped_column(plain_text(80))
    from_state: Mapped[str | None] = mapped_column(plain_text(80))
    work_center: Mapped[str | None] = mapped_column(plain_text(80))
    reason: Mapped[str | None] = mapped_column(ToldText)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    since_at: Mapped[datetime] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    follows: Mapped[bool] = mapped_column(default=True)
    is_current: Mapped[bool] = mapped_column(default=False)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_equipment_states_message", "message_id"),
        Index("ix_equipment_states_equipment", "plant", "equipment_id", "happened_at", "message_id", "event_index"),
        Index(
            "ix_equipment_states_current",
            "plant",
            "equipment_id",
            postgresql_where=text("is_current"),
            sqlite_where=text("is_current = 1"),
        ),
    )
