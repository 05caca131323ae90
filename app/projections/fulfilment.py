"""What events bring that other messages may wait for."""

from __future__ import annotations

from collections.abc import Sequence

from app.errors import stock_reference
from app.projections.items import item_reference
from app.projections.production_orders import RELEASED, order_reference
from mappings.canonical import contract
from mappings.context import Event

ITEM_CHANGED = "item.changed.v1"


def references_fulfilled(plant: str, events: Sequence[Event]) -> set[str]:
    """What others may wait for and these events bring."""
    items = {item_reference(event.data["item"]) for event in events if event.type == ITEM_CHANGED}
    orders = {order_reference(plant, event.data["order_id"]) for event in events if event.type == RELEASED}
    return items | orders | stock_brought(plant, events)


def stock_brought(plant: str, events: Sequence[Event]) -> set[str]:
    return {stock_reference(site or plant, item) for event in events for site, item in contract.stocked_items(event)}
