"""What comes in, what goes out, and what is on its way between plants."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, JsonText, ToldText, UtcInstant, plain_text
from app.store.ledger_tables import NOWHERE


class PurchaseOrder(Base):
    """A purchase order as the message that stands tells it, and how far it has come in. ``message_id`` is NULL where
    receipts name it and nobody has placed it. ``need_by_at``: the earliest of its open lines."""

    __tablename__ = "purchase_orders"

    code: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int | None] = mapped_column(BigId)
    supplier: Mapped[str | None] = mapped_column(plain_text(80))
    buyer: Mapped[str | None] = mapped_column(plain_text(80))
    ship_to: Mapped[str | None] = mapped_column(plain_text(80))
    placed_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    need_by_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    received_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    is_open: Mapped[bool]

    __table_args__ = (
        Index("ix_purchase_orders_plant", "plant", "code"),
        Index("ix_purchase_orders_supplier", "supplier", "code"),
        Index(
            "ix_purchase_orders_unplaced",
            "code",
            postgresql_where=text("message_id IS NULL"),
            sqlite_where=text("message_id IS NULL"),
        ),
        Index("ix_purchase_orders_open", "code", postgresql_where=text("is_open"), sqlite_where=text("is_open = 1")),
    )


class PurchaseLine(Base):
    """One line of a purchase order, in the item's base unit. ``open``: what is still to come, what was rejected too."""

    __tablename__ = "purchase_lines"

    purchase_order: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    line: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    number: Mapped[int]
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    ordered: Mapped[Decimal] = mapped_column(ExactDecimal)
    received: Mapped[Decimal] = mapped_column(ExactDecimal)
    rejected: Mapped[Decimal] = mapped_column(ExactDecimal)
    open: Mapped[Decimal] = mapped_column(ExactDecimal)
    need_by_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ship_to: Mapped[str | None] = mapped_column(plain_text(80))

    __table_args__ = (Index("ix_purchase_lines_item", "item", "purchase_order"),)


class Receipt(Base):
    """Goods received, as one event tells it, in the item's base unit. ``line`` is the order's line where it is told."""

    __tablename__ = "receipts"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    document_type: Mapped[str] = mapped_column(plain_text(80))
    document_id: Mapped[str] = mapped_column(plain_text(80))
    line: Mapped[str | None] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    received: Mapped[Decimal] = mapped_column(ExactDecimal)
    accepted: Mapped[Decimal] = mapped_column(ExactDecimal)
    rejected: Mapped[Decimal] = mapped_column(ExactDecimal)
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    storage: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    reason: Mapped[str | None] = mapped_column(ToldText)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_receipts_message", "message_id"),
        Index("ix_receipts_document", "document_id", "document_type", "id"),
        Index("ix_receipts_item", "item", "id"),
        Index("ix_receipts_plant_item", "plant", "item", "id"),
        Index("ix_receipts_plant", "plant", "id"),
        Index("ix_receipts_lot", "lot", "id"),
    )


class Shipment(Base):
    """A delivery that has left, as one event tells it. ``to_plant``: the own plant that it goes to, empty where it goes
    to somebody else; ``on_way``: whether some of it is still under way there."""

    __tablename__ = "shipments"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    delivery_id: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    carrier: Mapped[str | None] = mapped_column(ToldText)
    ship_from: Mapped[str | None] = mapped_column(plain_text(80))
    ship_to: Mapped[str | None] = mapped_column(plain_text(80))
    to_plant: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    packages: Mapped[Any] = mapped_column(JsonText)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    entered_at: Mapped[datetime] = mapped_column(UtcInstant)
    on_way: Mapped[bool] = mapped_column(default=False)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_shipments_message", "message_id"),
        Index("ix_shipments_delivery", "delivery_id", "id"),
        Index("ix_shipments_plant", "plant", "id"),
        Index("ix_shipments_to", "ship_to", "id"),
        Index("ix_shipments_to_plant", "to_plant", "id"),
        Index("ix_shipments_on_way", "id", postgresql_where=text("on_way"), sqlite_where=text("on_way = 1")),
    )


class ShipmentLine(Base):
    """Goods of a shipment, in the item's base unit, in a package (``sscc``) or in none."""

    __tablename__ = "shipment_lines"

    shipment_id: Mapped[int] = mapped_column(BigId, ForeignKey("shipments.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sscc: Mapped[str] = mapped_column(plain_text(18), default=NOWHERE)
    item: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    uom: Mapped[str] = mapped_column(plain_text(16), default="")
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    serials: Mapped[Any] = mapped_column(JsonText)
    order_ref: Mapped[str | None] = mapped_column(plain_text(250))

    __table_args__ = (
        Index("ix_shipment_lines_sscc", "sscc", "shipment_id"),
        Index("ix_shipment_lines_item", "item", "shipment_id"),
        Index("ix_shipment_lines_lot", "lot", "shipment_id"),
    )


class TransitLine(Base):
    """Goods that one own plant has sent to another, or a supplier to one (``from_plant`` is empty), in the item's base
    unit. ``delivery_key`` and ``order_key`` are the documents by which their arrival is told; ``arrived`` is how much
    of it came, ``on_way`` how much is still under way."""

    __tablename__ = "transit_lines"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    from_plant: Mapped[str] = mapped_column(plain_text(80))
    to_plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    delivery_key: Mapped[str] = mapped_column(plain_text(250))
    order_key: Mapped[str] = mapped_column(plain_text(250), default=NOWHERE)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    arrived: Mapped[Decimal] = mapped_column(ExactDecimal)
    on_way: Mapped[Decimal] = mapped_column(ExactDecimal)
    is_on_way: Mapped[bool]
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    line: Mapped[int]
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    arrived_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (
        Index("ix_transit_lines_message", "message_id"),
        Index("ix_transit_lines_delivery", "delivery_key", "to_plant"),
        Index("ix_transit_lines_order", "order_key", "to_plant"),
        Index(
            "ix_transit_lines_on_way_item",
            "item",
            "id",
            postgresql_where=text("is_on_way"),
            sqlite_where=text("is_on_way = 1"),
        ),
        Index(
            "ix_transit_lines_on_way",
            "to_plant",
            "item",
            "id",
            postgresql_where=text("is_on_way"),
            sqlite_where=text("is_on_way = 1"),
        ),
    )


class Arrival(Base):
    """Goods that came to a plant under a document (``key``), in the item's base unit."""

    __tablename__ = "arrivals"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    plant: Mapped[str] = mapped_column(plain_text(80))
    key: Mapped[str] = mapped_column(plain_text(250))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    message_id: Mapped[int] = mapped_column(BigId)
    event_index: Mapped[int]
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)
    void_at: Mapped[datetime | None] = mapped_column(UtcInstant)

    __table_args__ = (Index("ix_arrivals_message", "message_id"), Index("ix_arrivals_key", "key", "plant"))
