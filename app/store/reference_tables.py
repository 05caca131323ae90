"""What messages are enriched with and what they build: items and production orders."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, UtcInstant


class Item(Base):
    """An item (ISA-95 material definition). ``units`` is ``{unit: base units in one, as a decimal string}``.
    ``standard_cost``: of one base unit, in ``currency``; NULL where no system told it."""

    __tablename__ = "items"

    code: Mapped[str] = mapped_column(String(80), primary_key=True)
    description: Mapped[str] = mapped_column(Text)
    base_uom: Mapped[str] = mapped_column(String(16))
    units: Mapped[Any] = mapped_column(JsonText)
    standard_cost: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    currency: Mapped[str | None] = mapped_column(String(3))
    system: Mapped[str] = mapped_column(String(64))
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)


class ProductionOrder(Base):
    """A production order as its release tells it; ``planned`` is in the item's base unit. One that was reported of and
    never released has no item. What became of it stands in ``order_progress`` and ``order_items``."""

    __tablename__ = "production_orders"

    plant: Mapped[str] = mapped_column(String(16), primary_key=True)
    order_id: Mapped[str] = mapped_column(String(80), primary_key=True)
    item: Mapped[str | None] = mapped_column(String(80))
    uom: Mapped[str | None] = mapped_column(String(16))
    planned: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    planned_start_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    planned_end_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    released_message_id: Mapped[int | None] = mapped_column(BigId)
    updated_at: Mapped[datetime] = mapped_column(UtcInstant)

    __table_args__ = (Index("ix_production_orders_item", "item", "plant", "order_id"),)
