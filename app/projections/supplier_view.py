"""What a supplier may see: its own purchase orders, what was received of them, and open holds on its lots.

An order is a supplier's while the telling of it that stands names that supplier. Every query of orders and receipts
begins at the supplier's code; a hold is shown only where all that is known of its lot came from that supplier.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.projections.versions import PURCHASE_ORDER
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE
from app.store.logistics_tables import PurchaseLine, PurchaseOrder, Receipt

PAGE_MOST = 200
LINES_MOST = 1_000
"""Of one page's orders; those of an order beyond are left out, and the answer says so."""
HOLDS_LOOKED_AT = 1_000


def list_orders(
    session: Session, supplier: str, limit: int, after: str | None, *, only_open: bool = False
) -> Sequence[PurchaseOrder]:
    """By code."""
    query = select(PurchaseOrder).where(PurchaseOrder.supplier == supplier)
    if after is not None:
        query = query.where(PurchaseOrder.code > after)
    if only_open:
        query = query.where(PurchaseOrder.is_open)
    return session.scalars(query.order_by(PurchaseOrder.code).limit(limit)).all()


def lines_of(session: Session, codes: Collection[str]) -> Sequence[PurchaseLine]:
    query = select(PurchaseLine).where(PurchaseLine.purchase_order.in_(sorted(codes)))
    return session.scalars(query.order_by(PurchaseLine.purchase_order, PurchaseLine.number).limit(LINES_MOST + 1)).all()


def list_receipts(
    session: Session, supplier: str, limit: int, after: tuple[str, int] | None, order: str | None = None
) -> Sequence[Receipt]:
    """By order, then as they were entered; reversed ones are none."""
    own = and_(Receipt.document_id == PurchaseOrder.code, Receipt.document_type == PURCHASE_ORDER)
    query = select(Receipt).join(PurchaseOrder, own).where(PurchaseOrder.supplier == supplier)
    query = query.where(Receipt.void_at.is_(None))
    if order is not None:
        query = query.where(PurchaseOrder.code == order)
    if after is not None:
        code, last = after
        query = query.where(
            PurchaseOrder.code >= code,
            or_(PurchaseOrder.code > code, and_(PurchaseOrder.code == code, Receipt.id > last)),
        )
    return session.scalars(query.order_by(PurchaseOrder.code, Receipt.id).limit(limit)).all()


def list_holds(
    session: Session, supplier: str, limit: int, before: int | None
) -> tuple[list[tuple[Hold, str]], int | None]:
    """Open holds of lots that this supplier alone delivered to the plant, the last entered first, each with the item;
    and below which id the list goes on. At most HOLDS_LOOKED_AT are looked at."""
    query = select(Hold).where(Hold.is_open, Hold.lot != NOWHERE)
    if before is not None:
        query = query.where(Hold.id < before)
    looked_at = session.scalars(query.order_by(Hold.id.desc()).limit(HOLDS_LOOKED_AT)).all()
    suppliers = _suppliers(session, {hold.lot for hold in looked_at})
    found: list[tuple[Hold, str]] = []
    for hold in looked_at:
        items = _own_items(suppliers, supplier, hold)
        if items and len(found) == limit:
            return found, found[-1][0].id
        found += [(hold, items[0])] if items else []
    return found, looked_at[-1].id if len(looked_at) == HOLDS_LOOKED_AT else None


Delivered = dict[tuple[str, str], dict[str, set[str | None]]]
"""By plant and lot: by item, who delivered it; None for a receipt whose order names nobody."""


def _own_items(delivered: Delivered, supplier: str, hold: Hold) -> list[str]:
    """The items of the held lot, where all that is known of it came from this supplier. A lot number that two of them
    use is nobody's own."""
    by_item = delivered.get((hold.plant, hold.lot), {})
    of_hold = {item: who for item, who in by_item.items() if hold.item in (NOWHERE, item)}
    is_own = bool(of_hold) and all(who == {supplier} for who in of_hold.values())
    return sorted(of_hold) if is_own else []


def _suppliers(session: Session, lots: Collection[str]) -> Delivered:
    """Who delivered each of these lots, by receipts that count."""
    named = and_(Receipt.document_id == PurchaseOrder.code, Receipt.document_type == PURCHASE_ORDER)
    columns: Any = (Receipt.plant, Receipt.lot, Receipt.item, PurchaseOrder.supplier)
    found: Delivered = {}
    wanted = sorted(lots)
    for start in range(0, len(wanted), PAGE_MOST):
        query = select(*columns).outerjoin(PurchaseOrder, named).distinct()
        query = query.where(Receipt.lot.in_(wanted[start : start + PAGE_MOST]), Receipt.void_at.is_(None))
        for plant, lot, item, supplier in session.execute(query):
            found.setdefault((plant, lot), {}).setdefault(item, set()).add(supplier)
    return found
