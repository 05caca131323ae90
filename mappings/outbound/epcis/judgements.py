"""What a stock status is in EPCIS: a business step with its disposition."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import CORRECT_IT, Event, MappingError, OutboundContext
from mappings.formats.cbv import DISPOSITIONS
from mappings.outbound.epcis.documents import at_place, epcis_event, own_place, transaction
from mappings.outbound.epcis.objects import objects


def judged(
    event: Event, status: str, context: OutboundContext, reason: str | None = None, place: str | None = None
) -> dict[str, Any]:
    """``unrestricted``: inspected and conformant; ``blocked``: held, with what is wrong; ``quality``: held."""
    data = event.data
    if "item" not in data:
        told = f"EPCIS names a lot and serial numbers by their item, and the event names none. {CORRECT_IT}"
        raise MappingError("item_missing", told, "item")
    fault = reason if reason in DISPOSITIONS.words else "non_conformant"
    step, disposition = {
        "unrestricted": ("inspecting", "conformant"),
        "blocked": ("holding", fault),
        "quality": ("holding", None),
    }[status]
    reference: Mapping[str, Any] | None = data.get("inspection_ref")
    return epcis_event(
        "ObjectEvent",
        step,
        event,
        context,
        action="OBSERVE",
        disposition=disposition,
        bizLocation=at_place(place or own_place(data, context)),
        bizTransactionList=[transaction("testres", reference["id"], context)] if reference else [],
        **objects([data], context),
    )
