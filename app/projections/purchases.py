"""How far purchase orders have come in: their lines as they stand, against the receipts that name them.

A receipt counts for the line that it names, or, where it names none, for the only line of its item. One that names a
line that is not there, or one of another item or unit, counts for none: it is listed and not guessed about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from app.projections.item_sums import add_to_sums
from app.projections.origin import AS_TOLD
from app.projections.upsert import upsert
from app.projections.versions import PURCHASE_ORDER
from app.store.logistics_tables import PurchaseLine, PurchaseOrder, Receipt
from app.store.version_tables import ToldVersion
from mappings.units import quantity

CHUNK = 200
_ORDER = ("plant", "message_id", "supplier", "buyer", "ship_to", "placed_at", "need_by_at", "received_at", "is_open")


@dataclass
class Line:
    """One line as it stands. ``open`` is what is still to come: what was rejected is still owed."""

    purchase_order: str
    line: str
    number: int
    plant: str
    item: str
    uom: str
    ordered: Decimal
    need_by_at: datetime | None = None
    ship_to: str | None = None
    received: Decimal = Decimal(0)
    rejected: Decimal = Decimal(0)

    @property
    def open(self) -> Decimal:
        return max(Decimal(0), self.ordered - self.received + self.rejected)

    @property
    def columns(self) -> dict[str, Any]:
        return {**asdict(self), "open": self.open}


def line_of(receipt: Any, lines: Iterable[Line | PurchaseLine]) -> Any:
    """The one of these lines that the receipt counts for; None where that cannot be known."""
    if receipt.line is not None:
        found = [line for line in lines if line.line == receipt.line]
    else:
        found = [line for line in lines if line.item == receipt.item]
    fits = len(found) == 1 and (found[0].item, found[0].uom) == (receipt.item, receipt.uom)
    return found[0] if fits else None


def settle_purchases(session: Session, codes: Collection[str]) -> None:
    """Work out anew how far these orders have come in, after versions or receipts of theirs were entered or became
    void."""
    wanted = sorted(codes)
    gains: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for start in range(0, len(wanted), CHUNK):
        _settle_chunk(session, wanted[start : start + CHUNK], gains)
    add_to_sums(session, "on_order", {key: gain for key, gain in gains.items() if gain})


def _settle_chunk(session: Session, codes: Sequence[str], gains: dict[tuple[str, str, str], Decimal]) -> None:
    orders, receipts = _standing(session, codes), _receipts(session, codes)
    lines = {code: _lines(orders[code]) for code in orders}
    for code, found in receipts.items():
        for receipt in found:
            line = line_of(receipt, lines.get(code, ()))
            if line is not None:
                line.received += receipt.received
                line.rejected += receipt.rejected
    columns = (PurchaseLine.plant, PurchaseLine.item, PurchaseLine.uom, PurchaseLine.open)
    for plant, item, uom, amount in session.execute(select(*columns).where(PurchaseLine.purchase_order.in_(codes))):
        gains[plant, item, uom] -= amount
    for one in (line for found in lines.values() for line in found):
        gains[one.plant, one.item, one.uom] += one.open
    gone = delete(PurchaseLine).where(PurchaseLine.purchase_order.in_(codes))
    session.execute(gone, execution_options=AS_TOLD)
    rows = [one.columns for code in sorted(lines) for one in lines[code]]
    if rows:
        session.connection().execute(insert(PurchaseLine), rows)
    _tell_orders(session, codes, orders, lines, receipts)


def _standing(session: Session, codes: Sequence[str]) -> dict[str, ToldVersion]:
    query = select(ToldVersion).where(ToldVersion.kind == PURCHASE_ORDER, ToldVersion.code.in_(codes))
    return {row.code: row for row in session.scalars(query.where(ToldVersion.stands))}


def _receipts(session: Session, codes: Sequence[str]) -> dict[str, list[Any]]:
    columns = (Receipt.document_id, Receipt.plant, Receipt.line, Receipt.item, Receipt.uom)
    query = select(*columns, Receipt.received, Receipt.rejected, Receipt.happened_at).where(
        Receipt.document_id.in_(codes), Receipt.document_type == PURCHASE_ORDER, Receipt.void_at.is_(None)
    )
    found: dict[str, list[Any]] = defaultdict(list)
    for row in session.execute(query.order_by(Receipt.happened_at, Receipt.message_id, Receipt.event_index)):
        found[row.document_id].append(row)
    return found


def _lines(order: ToldVersion) -> list[Line]:
    return [_line(order, number, told) for number, told in enumerate(order.body["lines"], start=1)]


def _line(order: ToldVersion, number: int, told: Mapping[str, Any]) -> Line:
    amount = quantity(told["quantity"])
    need_by = told.get("need_by")
    moment = datetime.fromisoformat(need_by) if need_by else None
    named = (order.code, told["line"], number, order.plant, told["item"])
    return Line(*named, amount.uom, amount.value, moment, told.get("ship_to"))


def _tell_orders(
    session: Session,
    codes: Sequence[str],
    orders: Mapping[str, ToldVersion],
    lines: Mapping[str, Sequence[Line]],
    receipts: Mapping[str, Sequence[Any]],
) -> None:
    unknown = [code for code in codes if code not in orders and not receipts.get(code)]
    gone = delete(PurchaseOrder).where(PurchaseOrder.code.in_(unknown))
    session.execute(gone, execution_options=AS_TOLD)
    rows = [
        _order(code, orders.get(code), lines.get(code, ()), receipts.get(code, ()))
        for code in codes
        if code not in unknown
    ]
    upsert(session, PurchaseOrder, ("code",), _ORDER, rows)


def _order(code: str, order: ToldVersion | None, lines: Sequence[Line], receipts: Sequence[Any]) -> dict[str, Any]:
    """Where nobody placed it, the plant is the one that received first."""
    told = order.body if order is not None else {}
    still = [line for line in lines if line.open]
    return {
        "code": code,
        "plant": order.plant if order is not None else receipts[0].plant,
        "message_id": order.message_id if order is not None else None,
        **{name: told.get(name) for name in ("supplier", "buyer", "ship_to")},
        "placed_at": order.happened_at if order is not None else None,
        "need_by_at": min((line.need_by_at for line in still if line.need_by_at), default=None),
        "received_at": receipts[-1].happened_at if receipts else None,
        "is_open": bool(still),
    }
