"""Purchase orders as a receipt sees them: the line it belongs to, and what is still expected on it afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from app.adapters.tryton_records import Item
from app.adapters.tryton_rest import TrytonRest
from app.errors import Refused

_OPEN = ("confirmed", "processing", "done")


@dataclass(frozen=True)
class OrderLine:
    id: int
    supplier_id: int
    supplier_location_id: int
    currency_id: int
    unit_price: Decimal


def order_line(rest: TrytonRest, number: str, line_number: str | None, item: Item) -> OrderLine:
    """The line of this order that the item belongs to: the numbered one, or the item's first where none is named."""
    fields = ["state", "currency", "party.supplier_location", "lines.sequence", "lines.product", "lines.unit_price"]
    domain = ["OR", ["number", "=", number], ["reference", "=", number]]
    found = rest.search("purchase.purchase", domain, fields, limit=2)
    if len(found) != 1:
        how = "no purchase order" if not found else "several purchase orders"
        raise Refused(
            "order_unknown",
            f"Tryton has {how} {number}; mend that there and requeue, or correct it here.",
            "document_ref.id",
        )
    order = found[0]
    if order["state"] not in _OPEN:
        raise Refused(
            "order_not_open",
            f"Purchase order {number} is in state {order['state']}; confirm it in Tryton, then requeue.",
            "document_ref.id",
        )
    line = _chosen(order["lines"], number, line_number, item)
    return OrderLine(
        line["id"],
        order["party"]["id"],
        order["party"]["supplier_location"],
        order["currency"],
        Decimal(line["unit_price"]["decimal"]),
    )


def _chosen(lines: Sequence[Mapping[str, Any]], number: str, line_number: str | None, item: Item) -> Mapping[str, Any]:
    of_item = [line for line in lines if line["product"] == item.id]
    if line_number is not None:
        of_item = [line for line in of_item if str(line["sequence"]) == line_number.lstrip("0")]
    if not of_item:
        where = f"line {line_number} of purchase order {number}" if line_number else f"purchase order {number}"
        raise Refused(
            "order_line_unknown",
            f"{where} does not name item {item.code}; correct the order or its line here.",
            "document_ref.line",
        )
    return of_item[0]


def settle_expected(rest: TrytonRest, shipment_id: int, context: Mapping[str, Any]) -> None:
    """Lower what Tryton still expects on the shipment's order lines to what has not come.

    A receipt brings moves of its own instead of taking the order's expected ones, so that two receipts at once never
    take the same move. The expected move is set from what is done, so doing this twice or late is harmless.
    """
    domain = [["moves.shipment.id", "=", shipment_id, "stock.shipment.in"]]
    fields = ["quantity", "unit.factor", "unit.digits"]
    fields += [f"moves.{name}" for name in ("state", "shipment", "quantity", "unit.factor")]
    for line in rest.search("purchase.line", domain, fields):
        expected = [move for move in line["moves"] if move["state"] == "draft" and not move["shipment"]]
        came = sum((_reference_quantity(move) for move in line["moves"] if move["state"] == "done"), Decimal(0))
        left = max(Decimal(0), _reference_quantity(line) - came)
        for move in expected:
            share = min(left, _reference_quantity(move))
            left -= share
            quantity = round(share / Decimal(str(move["unit"]["factor"])), line["unit"]["digits"])
            if quantity != move["quantity"]:
                rest.update("stock.move", move["id"], {"quantity": float(quantity)}, ["id"], context)


def _reference_quantity(record: Mapping[str, Any]) -> Decimal:
    return Decimal(str(record["quantity"])) * Decimal(str(record["unit"]["factor"]))
