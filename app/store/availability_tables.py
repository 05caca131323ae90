"""What keeps stock from being used: quality holds, and what released orders still need."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, ToldText, UtcInstant, plain_text
from app.store.ledger_tables import NOWHERE


class Hold(Base):
    """What one event says of the use of one subject: an item, a lot or a serial of a plant, or of them together. What
    the event does not name is empty. A release is a row too, whose status is unrestricted.

    ``line`` numbers the subjects of one event, ``quantity`` is in the item's base unit where the item is named,
    ``is_open``: whether it is the last word about its subject and holds it, ``void_at``: since when it counts no more,
    because its message was reversed.
    """

    __tablename__ = "holds"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    serial: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    line: Mapped[int]
    status: Mapped[str] = mapped_column(plain_text(16))
    reason: Mapped[str | None] = mapped_column(ToldText)
    inspection_ref: Mapped[str | None] = mapped_column(ToldText)
    quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    uom: Mapped[str | None] = mapped_column(plain_text(16))
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    is_open: Mapped[bool] = mapped_column(default=False)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_holds_message", "message_id"),
        Index("ix_holds_subject", "plant", "item", "lot", "serial", "happened_at"),
        Index("ix_holds_lot", "lot", "id"),
        Index("ix_holds_plant", "plant", "id"),
        Index("ix_holds_open_id", "id", postgresql_where=text("is_open"), sqlite_where=text("is_open = 1")),
        Index(
            "ix_holds_open_plant",
            "plant",
            "id",
            postgresql_where=text("is_open"),
            sqlite_where=text("is_open = 1"),
        ),
        Index(
            "ix_holds_open_item",
            "plant",
            "item",
            # The same in all its rows; without it SQLite takes the index of subjects, and looks at all that was held.
            "is_open",
            postgresql_where=text("is_open"),
            sqlite_where=text("is_open = 1"),
        ),
        Index(
            "ix_holds_open",
            "lot",
            "serial",
            "item",
            "plant",
            postgresql_where=text("is_open"),
            sqlite_where=text("is_open = 1"),
        ),
    )


class OrderMaterial(Base):
    """How much of an item the release that this message told says an order takes, in the item's base unit."""

    __tablename__ = "order_materials"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    uom: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)

    __table_args__ = (Index("ix_order_materials_message", "message_id"),)


class OrderNeed(Base):
    """How much of an item a released order that has not ended still needs; there is no row where that is nothing."""

    __tablename__ = "order_needs"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    order_id: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    uom: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)

    __table_args__ = (Index("ix_order_needs_item", "plant", "item", "order_id"),)
