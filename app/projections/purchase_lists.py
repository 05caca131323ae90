"""Purchase orders with what has come of them, and receipts, a page at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from app.store.logistics_tables import PurchaseLine, PurchaseOrder, Receipt

LINES_MOST = 1_000
"""Of one order, as its contract bounds them."""
CHUNK = 400


class PurchaseStatus(StrEnum):
    """``unplaced``: receipts name it, and nobody has placed it."""

    PLACED = "placed"
    PARTLY_RECEIVED = "partly_received"
    RECEIVED = "received"
    UNPLACED = "unplaced"


@dataclass(frozen=True)
class PurchaseFilter:
    code: str | None = None
    plant: str | None = None
    supplier: str | None = None
    item: str | None = None
    status: PurchaseStatus | None = None
    late_at: datetime | None = None
    """Those of which something is still open at this instant that was needed before."""


@dataclass(frozen=True)
class PurchasePicture:
    order: PurchaseOrder
    lines: Sequence[PurchaseLine] = field(default_factory=tuple)

    @property
    def status(self) -> PurchaseStatus:
        if self.order.message_id is None:
            return PurchaseStatus.UNPLACED
        if not self.order.is_open:
            return PurchaseStatus.RECEIVED
        return PurchaseStatus.PLACED if self.order.received_at is None else PurchaseStatus.PARTLY_RECEIVED


@dataclass(frozen=True)
class ReceiptFilter:
    """None is any. ``purchase_order``: the order that it names."""

    plant: str | None = None
    item: str | None = None
    lot: str | None = None
    purchase_order: str | None = None
    document_id: str | None = None
    message_id: int | None = None


def list_purchases(
    session: Session, chosen: PurchaseFilter, limit: int, after: str | None = None
) -> list[PurchasePicture]:
    """By the order's code; ``after`` is the last of the page before."""
    query = select(PurchaseOrder).where(*_conditions(chosen)).order_by(PurchaseOrder.code).limit(limit)
    if after is not None:
        query = query.where(PurchaseOrder.code > after)
    orders = session.scalars(query).all()
    lines: dict[str, list[PurchaseLine]] = defaultdict(list)
    of_them = select(PurchaseLine).where(PurchaseLine.purchase_order.in_([order.code for order in orders]))
    of_them = of_them.order_by(PurchaseLine.purchase_order, PurchaseLine.number).limit(LINES_MOST * len(orders))
    for line in session.scalars(of_them) if orders else ():
        lines[line.purchase_order].append(line)
    return [PurchasePicture(order, lines[order.code]) for order in orders]


def list_receipts(
    session: Session, chosen: ReceiptFilter, limit: int, before: int | None = None, void: bool = False
) -> Sequence[Receipt]:
    """The receipts that were entered last come first; with ``void`` those that were reversed, too."""
    wanted = (
        (Receipt.plant, chosen.plant),
        (Receipt.item, chosen.item),
        (Receipt.lot, chosen.lot),
        (Receipt.document_id, chosen.purchase_order),
        (Receipt.document_type, None if chosen.purchase_order is None else "purchase_order"),
        (Receipt.document_id, chosen.document_id),
        (Receipt.message_id, chosen.message_id),
    )
    query = select(Receipt).where(*(column == value for column, value in wanted if value is not None))
    if not void:
        query = query.where(Receipt.void_at.is_(None))
    if before is not None:
        query = query.where(Receipt.id < before)
    return session.scalars(query.order_by(Receipt.id.desc()).limit(limit)).all()


def suppliers_of(session: Session, codes: Collection[str]) -> dict[str, str]:
    """Who these purchase orders were placed with, as far as it was told."""
    found: dict[str, str] = {}
    wanted = sorted(codes)
    for start in range(0, len(wanted), CHUNK):
        query = select(PurchaseOrder.code, PurchaseOrder.supplier).where(
            PurchaseOrder.code.in_(wanted[start : start + CHUNK]), PurchaseOrder.supplier.is_not(None)
        )
        found |= {row.code: row.supplier for row in session.execute(query)}
    return found


def _conditions(chosen: PurchaseFilter) -> list[ColumnElement[bool]]:
    wanted: tuple[tuple[Any, Any], ...] = (
        (PurchaseOrder.code, chosen.code),
        (PurchaseOrder.plant, chosen.plant),
        (PurchaseOrder.supplier, chosen.supplier),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    is_open, placed = PurchaseOrder.is_open.expression, PurchaseOrder.message_id.is_not(None)
    of_status: dict[PurchaseStatus, list[ColumnElement[bool]]] = {
        PurchaseStatus.PLACED: [is_open, PurchaseOrder.received_at.is_(None)],
        PurchaseStatus.PARTLY_RECEIVED: [is_open, PurchaseOrder.received_at.is_not(None)],
        PurchaseStatus.RECEIVED: [~PurchaseOrder.is_open, placed],
        PurchaseStatus.UNPLACED: [PurchaseOrder.message_id.is_(None)],
    }
    conditions += of_status[chosen.status] if chosen.status else []
    if chosen.item is not None:
        of_item = select(PurchaseLine.purchase_order).where(PurchaseLine.item == chosen.item)
        conditions.append(PurchaseOrder.code.in_(of_item))
    if chosen.late_at is not None:
        conditions += [is_open, PurchaseOrder.need_by_at < chosen.late_at]
    return conditions
