"""What documents for targets share: amounts in the item's base unit, and the places they go to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import ItemFacts, MappingError, OutboundContext
from mappings.options import STORAGES
from mappings.units import Quantity, quantity, to_base


def item_facts(code: str, context: OutboundContext) -> ItemFacts:
    facts = context.items.get(code)
    if facts is None:
        raise MappingError(
            "item_unknown", f"item {code} is unknown; describe it in the system of record for items, then requeue."
        )
    return facts


def base_quantity(item: str, wire: Mapping[str, str], context: OutboundContext) -> Quantity:
    """The amount in the item's base unit, exactly."""
    return to_base(quantity(wire), item_facts(item, context))


def stock_storage(
    data: Mapping[str, Any], context: OutboundContext, line: Mapping[str, Any] | None = None
) -> str | None:
    """Where stock of this event lies, as the target calls it: the line's, else the event's, else the plant's own."""
    named = (line or {}).get("storage") or data.get("location", {}).get("storage")
    return storage_code(named or context.plant.options.get("storage"), context)


def storage_code(code: str | None, context: OutboundContext) -> str | None:
    """What the target calls this storage location; None where none is given."""
    return context.crosswalks.becomes(STORAGES, code, "storage") if code else None


def site(context: OutboundContext) -> str:
    """What targets call the plant: its option ``site``, else its own code."""
    return str(context.plant.options.get("site") or context.plant.code)


def with_values(**values: Any) -> dict[str, Any]:
    """The fields that have a value; a target is not sent empty ones."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
