"""What is promised of stock: reservations, what was used of them, and stock that is on its way out."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.store.base import Base, BigId, ExactDecimal, ToldText, UtcInstant, plain_text
from app.store.ledger_tables import NOWHERE

# Literal, because SQLite uses a partial index only for the very words of its condition.
IS_OPEN = text("reservations.state = 'open'")


class Reservation(Base):
    """So much of an item that a plant keeps for somebody. Decided once, in the transaction that keeps its message, and
    not built anew with the projections; only what was ``used`` of it is.

    ``quantity`` and ``used`` are in ``uom``, the item's base unit then. An empty ``lot`` or ``storage`` is any.
    ``ended_message_id``: which message said that it was released or expired.
    """

    __tablename__ = "reservations"

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    code: Mapped[str] = mapped_column(plain_text(80))
    message_id: Mapped[int] = mapped_column(BigId)
    source: Mapped[str] = mapped_column(String(64))
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    used: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    storage: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    order_id: Mapped[str | None] = mapped_column(plain_text(80))
    delivery_id: Mapped[str | None] = mapped_column(plain_text(80))
    state: Mapped[str] = mapped_column(String(12))
    actor: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str | None] = mapped_column(ToldText)
    made_at: Mapped[datetime] = mapped_column(UtcInstant)
    expires_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_at: Mapped[datetime | None] = mapped_column(UtcInstant)
    ended_message_id: Mapped[int | None] = mapped_column(BigId)

    __table_args__ = (
        UniqueConstraint("code"),
        UniqueConstraint("message_id"),
        Index("ix_reservations_item", "plant", "item", "id"),
        Index("ix_reservations_order", "plant", "order_id", "id"),
        Index("ix_reservations_delivery", "plant", "delivery_id", "id"),
        Index("ix_reservations_state", "state", "id"),
        Index(
            "ix_reservations_open",
            "plant",
            "item",
            "id",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
        Index(
            "ix_reservations_due",
            "expires_at",
            "id",
            postgresql_where=text("state = 'open'"),
            sqlite_where=text("state = 'open'"),
        ),
    )


class ReservationUse(Base):
    """How much of a reservation one leg of an issue or a shipment took; gone again where that was reversed."""

    __tablename__ = "reservation_uses"

    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    event_index: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    leg: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reservation_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    happened_at: Mapped[datetime] = mapped_column(UtcInstant)

    __table_args__ = (Index("ix_reservation_uses_reservation", "reservation_id", "message_id"),)


class Withdrawal(Base):
    """Stock that a message takes which was let through at once, and whose movements are not entered yet. Gone with the
    transaction that enters them, or once the message will never take effect."""

    __tablename__ = "withdrawals"

    message_id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plant: Mapped[str] = mapped_column(plain_text(80))
    item: Mapped[str] = mapped_column(plain_text(80))
    uom: Mapped[str] = mapped_column(plain_text(16))
    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    lot: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    storage: Mapped[str] = mapped_column(plain_text(80), default=NOWHERE)
    order_id: Mapped[str | None] = mapped_column(plain_text(80))
    delivery_id: Mapped[str | None] = mapped_column(plain_text(80))
    reservation: Mapped[str | None] = mapped_column(plain_text(80))
    at: Mapped[datetime] = mapped_column(UtcInstant)

    __table_args__ = (Index("ix_withdrawals_item", "plant", "item", "message_id", "line"),)


class PromisedItem(Base):
    """The row that is held while something of the item is promised, so that one decision comes after the other."""

    __tablename__ = "promised_items"

    plant: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
    item: Mapped[str] = mapped_column(plain_text(80), primary_key=True)
