"""``adventureworks.inventory``: a row of ProductInventory is what lies at one place, as it was counted there last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.adventureworks.columns import Column, moment, needed, quantity, read_row
from mappings.inbound.payload import Payload, present, storage_code

NO_SHELF = "N/A"


class Inventory(Payload):
    ProductID = Column(required=True)
    LocationID = Column(required=True)
    Shelf = Column(required=True)
    Bin = Column(required=True)
    Quantity = Column(required=True)
    ModifiedDate = Column(required=True)


_SCHEMA = Inventory()


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    row = read_row(_SCHEMA, payload)
    storage = storage_code(needed(row, "LocationID"), context, "LocationID")
    data = {
        "event_time": moment(row, "ModifiedDate", context),
        "location": {"site": context.plant.code} | present(storage=storage, bin=_bin(row)),
        "item": needed(row, "ProductID"),
        "counted": quantity(row, "Quantity", context),
    }
    return [Event("inventory.counted.v1", data)]


def _bin(row: Mapping[str, str]) -> str | None:
    """``A-5``; nothing where the place has no shelves."""
    return None if row["Shelf"] in ("", NO_SHELF) else "-".join(filter(None, [row["Shelf"], row["Bin"]]))
