"""What became of production orders: every report of them, what the reports come to, and which lots they link."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, ToldText, UtcInstant, plain_text

NOT_ENDED = text("ended_at IS NULL")


class OrderReport(Base):
    """One line of a report of an order: an output, a component, a scrap, or (``ended``) that no more will come.
    ``quantity`` is in the item's base unit, and never negative. ``void_at``: since when it counts no more, because its
    message was reversed."""

    __tablename__ = "order_reports"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    order_id: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    line: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    item: Mapped[str | None] = mapped_column(plain_text(80))
    uom: Mapped[str | None] = mapped_column(plain_text(16))
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    lot: Mapped[str | None] = mapped_column(plain_text(80))
    transformation: Mapped[str] = mapped_column(plain_text(200))
    reason: Mapped[str | None] = mapped_column(ToldText)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_order_reports_message", "message_id"),
        Index("ix_order_reports_order", "plant", "order_id", "id"),
        Index("ix_order_reports_entered", "plant", "id"),
    )


class OrderItem(Base):
    """What an order's reports come to for one item, in one unit."""

    __tablename__ = "order_items"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    uom: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    produced: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    consumed: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    scrapped: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))


class TransformationLot(Base):
    """How much of a lot went into a transformation or came out of it: the links of the lots' genealogy. An empty lot is
    one that nobody named; a quantity of zero is no link any more."""

    __tablename__ = "transformation_lots"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    transformation: Mapped[str] = mapped_column(plain_text(200), primary_key=True)
    direction: Mapped[str] = mapped_column(plain_text(3), primary_key=True)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    lot: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    uom: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    order_id: Mapped[str] = mapped_column(plain_text(80))

    __table_args__ = (Index("ix_transformation_lots_lot", "lot", "item", "direction"),)


class OrderProgress(Base):
    """When an order's reports say that it was worked on; ``ended_at``: when the last of its final ones says so.
    An order that was released and never reported of has a row, too."""

    __tablename__ = "order_progress"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    started_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    reported_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_order_progress_open", "plant", "order_id", postgresql_where=NOT_ENDED, sqlite_where=NOT_ENDED),
    )
