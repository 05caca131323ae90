"""A final completion and the production order that it closes: the order's own record becomes the completion's.

An order stands in Tryton as an open production whose reference is the order's number and nothing else. What is taken
over gets the posting key in front of it, so the search by key finds it from then on, whatever happens to the answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.adapters.tryton_models import PRODUCTION
from app.adapters.tryton_records import TrytonRecords
from app.errors import Refused

_OPEN = ["request", "draft", "waiting"]
_FIELDS = ("state", "product.code", "inputs.state", "outputs.state")
_SIDES = ("inputs", "outputs")

Record = Mapping[str, Any]


def open_order(document: Record, records: TrytonRecords) -> Record | None:
    """The plant's one open production of the order that this document closes; None where there is none, or several.

    Raises Refused where that production makes something else than was reported.
    """
    order_id = document.get("closes_order")
    if order_id is None:
        return None
    domain = [
        ["reference", "=", order_id],
        ["state", "in", _OPEN],
        ["type", "=", "assembly"],
        ["warehouse", "=", records.warehouse(document["warehouse"]).id],
        ["company", "=", records.company_id],
    ]
    found = records.rest.search(PRODUCTION, domain, _FIELDS, limit=2)
    if len(found) != 1:
        return None
    _refuse_another_product(order_id, found[0], document)
    return found[0]


def _refuse_another_product(order_id: str, order: Record, document: Record) -> None:
    product = (order["product"] or {}).get("code")
    made = sorted({line["item"] for line in document["outputs"]})
    if product not in made:
        raise Refused(
            "order_differs",
            f"Tryton's production order {order_id} is for {product or 'no product'}, and {', '.join(made)} was "
            "reported; correct the order's product in Tryton and requeue, or correct the item here.",
            "order_id",
        )


def take_over(order: Record, document: Record, values: Record, records: TrytonRecords) -> None:
    """Write the completion onto the order; what was planned stays in its dates and its bill of materials.

    1. Back to a draft: Tryton lets nobody change a waiting order's quantity. This frees what was reserved for it and
       has no effect on stock; stopped here, the order is still open and is found again.
    2. One write, which also deletes the moves that were read with the order. Tryton refuses to delete what is gone
       already, so of two writers that read the same order only the first gets it: Tryton has no other conditional
       write over REST.
    """
    if order["state"] != "draft":
        records.rest.act(PRODUCTION, order["id"], "draft", ["state"], records.context)
    changes = {"reference": values["reference"], **_actual_quantity(order, document, records)}
    for side in _SIDES:
        # Cancelled moves were deleted on the way back to a draft.
        planned = [move["id"] for move in order[side] if move["state"] != "cancelled"]
        changes[side] = ([["delete", planned]] if planned else []) + values[side]
    records.rest.update(PRODUCTION, order["id"], changes, ["state"], records.context)


def _actual_quantity(order: Record, document: Record, records: TrytonRecords) -> dict[str, Any]:
    """What was made of the order's product, in the unit of its first line: lots are lines of their own."""
    item = records.item(order["product"]["code"])
    made = [line for line in document["outputs"] if line["item"] == item.code]
    unit = records.unit(item, made[0]["uom"])
    total = sum((Decimal(line["quantity"]) * records.unit(item, line["uom"]).factor for line in made), Decimal(0))
    return {"unit": unit.id, "quantity": float(round(total / unit.factor, unit.digits))}
