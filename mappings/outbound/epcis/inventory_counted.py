"""``inventory.counted.v1``: what lies there. What the book said beside it is not told: EPCIS has no field for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import at_place, captured, epcis_event, own_place
from mappings.outbound.epcis.objects import objects


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """A count of nothing is written as well, as a quantity of zero."""
    data = event.data
    counted = epcis_event(
        "ObjectEvent",
        "cycle_counting",
        event,
        context,
        action="OBSERVE",
        disposition="in_progress",
        bizLocation=at_place(own_place(data, context)),
        **objects([{**data, "quantity": data["counted"]}], context, counted=True),
    )
    return captured([counted], event, context)
