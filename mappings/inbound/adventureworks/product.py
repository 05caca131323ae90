"""``adventureworks.product``: a row of Product describes an item. Orders and stock name it by its ProductID, so that is
its code; what it weighs and measures is for people and gives no unit of stock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.adventureworks.columns import PIECE, Column, moment, needed, read_row
from mappings.inbound.payload import Payload, canonical_unit


class Product(Payload):
    ProductID = Column(required=True)
    Name = Column(required=True)
    ModifiedDate = Column(required=True)


_SCHEMA = Product()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    row = read_row(_SCHEMA, payload)
    data = {
        "event_time": moment(row, "ModifiedDate", context),
        "item": needed(row, "ProductID"),
        "description": needed(row, "Name"),
        "base_uom": canonical_unit(PIECE, context, "ProductID"),
    }
    return [Event("item.changed.v1", data)]
