"""The movement ledger, the stock that it sums up to, and what is still to be entered into it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldText, UtcInstant, plain_text

NOWHERE = ""
"""A storage location, lot or serial that an event does not name; as text, so that a row of stock has one key."""

WANTED = text("reserved <> '0' OR unrestricted < '0'")
"""Items that orders need, or of which less than nothing is there. Amounts are text on SQLite, where only the
negative ones, which begin with a minus, sort before 0. PostgreSQL reads '0' as a number."""


class Stock(Base):
    """So much of an item in one place: the sum of its movements. A row whose quantity is zero was stock once.

    ``uom`` is the item's base unit when the stock moved, ``counts`` how many of its movements are counts,
    ``moved_at`` when the newest of them happened.
    """

    __tablename__ = "stock"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    storage: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    serial: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    status: Mapped[str] = mapped_column(plain_text(16))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    counts: Mapped[int] = mapped_column(default=0)
    moved_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        UniqueConstraint("plant", "item", "uom", "storage", "lot", "serial", "status", name="uq_stock_place"),
        Index("ix_stock_lot", "lot", "id"),
        Index("ix_stock_storage", "plant", "storage", "id"),
        Index("ix_stock_lot_item", "lot", "item"),
        Index("ix_stock_item_lot", "item", "lot"),
        Index("ix_stock_plant_lot", "plant", "lot", "item"),
    )


class ItemStock(Base):
    """The same by item: what a plant has of it in each status, in all places together; ``reserved``: what released
    orders still need of it, there or not; ``in_transit``: what other own plants and suppliers have sent and has not
    come; ``on_order``: what purchase orders still owe."""

    __tablename__ = "item_stock"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    uom: Mapped[str] = mapped_column(plain_text(16), primary_key=True)
    unrestricted: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    quality: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    blocked: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    reserved: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    in_transit: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    on_order: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))

    __table_args__ = (
        Index("ix_item_stock_item", "item"),
        Index(
            "ix_item_stock_wanted",
            "plant",
            "item",
            "uom",
            postgresql_where=WANTED,
            sqlite_where=WANTED,
        ),
    )


class Movement(Base):
    """One change of one row of stock, and the event of a message that it comes from. ``quantity`` is signed and in the
    stock's unit. Of a count it is the difference that was found, and ``counted`` what the shelf held; what comes late
    and happened before the count changes the difference and not the stock. ``void_at``: since when it counts no more,
    because its message was reversed."""

    __tablename__ = "movements"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    stock_id: Mapped[int] = mapped_column(BigId, ForeignKey("stock.id"))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    leg: Mapped[int]
    kind: Mapped[str] = mapped_column(String(12))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    counted: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    order_id: Mapped[str | None] = mapped_column(plain_text(80))
    document: Mapped[str | None] = mapped_column(ToldText)
    reason: Mapped[str | None] = mapped_column(ToldText)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_movements_message", "message_id"),
        Index("ix_movements_stock", "stock_id", "happened_at", "id"),
        Index("ix_movements_item", "plant", "item", "id"),
        Index(
            "ix_movements_order",
            "plant",
            "order_id",
            "id",
            postgresql_where=text("order_id IS NOT NULL"),
            sqlite_where=text("order_id IS NOT NULL"),
        ),
    )


class TransferTelling(Base):
    """A move as one system tells it under a document; ``key`` is what another one tells the same of. Of the tellings of
    one move one ``counts`` and has its ``legs`` in the ledger: number, place and signed quantity of each."""

    __tablename__ = "transfer_tellings"

    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    event_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64))
    source: Mapped[str] = mapped_column(String(64))
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    order_id: Mapped[str | None] = mapped_column(plain_text(80))
    document: Mapped[str | None] = mapped_column(ToldText)
    reason: Mapped[str | None] = mapped_column(ToldText)
    legs: Mapped[Any] = mapped_column(JsonText)
    counts: Mapped[bool]

    __table_args__ = (Index("ix_transfer_tellings_key", "key"),)


class Effect(Base):
    """A message that took effect, or was reversed (``undo``), and has not been entered yet. Written in the transaction
    that makes it so. ``fault``: why it cannot be entered; it is passed over until the projections are built anew;
    ``measured``: whether it is only entered again, and measured by a note of its own."""

    __tablename__ = "effects"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    message_id: Mapped[int] = mapped_column(BigId)
    undo: Mapped[bool]
    at: Mapped[datetime] = mapped_column(UtcInstant)
    fault: Mapped[str | None] = mapped_column(ToldText)
    measured: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        Index(
            "ix_effects_fault",
            "message_id",
            postgresql_where=text("fault IS NOT NULL"),
            sqlite_where=text("fault IS NOT NULL"),
        ),
    )
