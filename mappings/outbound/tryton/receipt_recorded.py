"""Goods receipt: a supplier shipment on its purchase order.

Accepted goods are put away, rejected ones go to the waste location, the rest waits in the goods-in location.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import CORRECT_IT, Event, MappingError, OutboundContext
from mappings.outbound.tryton.places import document, line, storage


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    order = data["document_ref"]
    if order["type"] != "purchase_order":
        raise MappingError(
            "document_type_unknown",
            f"A receipt is posted to Tryton on a purchase_order, not on a {order['type']}. {CORRECT_IT}",
            "document_ref.type",
        )
    return {
        **document("receipt", data, context),
        "note": order["id"],
        "order": order["id"],
        "order_line": order.get("line"),
        **line({"item": data["item"], "lot": data.get("lot"), "quantity": data["received"]}),
        "storage": data.get("location", {}).get("storage") or storage(context, "stock"),
        "accepted": data["accepted"]["value"],
        "rejected": data["rejected"]["value"],
        "reject_storage": storage(context, "scrap"),
    }
