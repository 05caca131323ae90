"""``adventureworks.purchase_line``: a row of PurchaseOrderDetail tells what was received of a purchase order's line.
Besides the promised time it has only ModifiedDate: when the line was last written, as its receipt did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.adventureworks.columns import Column, moment, needed, quantity, read_row
from mappings.inbound.payload import Payload


class PurchaseLine(Payload):
    PurchaseOrderID = Column(required=True)
    PurchaseOrderDetailID = Column(required=True)
    ProductID = Column(required=True)
    ReceivedQty = Column(required=True)
    RejectedQty = Column(required=True)
    StockedQty = Column(required=True)
    ModifiedDate = Column(required=True)


_SCHEMA = PurchaseLine()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    row = read_row(_SCHEMA, payload)
    received = quantity(row, "ReceivedQty", context)
    if received["value"] == "0":
        reason = "ReceivedQty is zero: nothing of this line came yet; discard the row if that is right."
        raise MappingError("nothing_reported", reason, "ReceivedQty")
    data = {
        "event_time": moment(row, "ModifiedDate", context),
        "location": {"site": context.plant.code},
        "document_ref": {
            "type": "purchase_order",
            "id": needed(row, "PurchaseOrderID"),
            "line": needed(row, "PurchaseOrderDetailID"),
        },
        "item": needed(row, "ProductID"),
        "received": received,
        "accepted": quantity(row, "StockedQty", context),
        "rejected": quantity(row, "RejectedQty", context),
    }
    return [Event("receipt.recorded.v1", data)]
