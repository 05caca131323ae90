"""``inventory.moved.v1``: from one location to another, or from one stock status to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, MappingError, OutboundContext
from mappings.outbound.epcis.documents import at_place, captured, epcis_event, place_uri
from mappings.outbound.epcis.judgements import judged
from mappings.outbound.epcis.objects import objects

_DISPOSITIONS = {"blocked": "non_conformant", "unrestricted": "sellable_accessible"}


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """A change of status alone is no movement in EPCIS; it is held or found conformant where it lies."""
    data = event.data
    if _without_status(data["from"]) == _without_status(data["to"]):
        status = data["to"].get("stock_status", "unrestricted")
        return captured([judged(event, status, context, place=place_uri(data["to"], context))], event, context)
    source, destination = _end(data, "from", context), _end(data, "to", context)
    moved = epcis_event(
        "ObjectEvent",
        "storing",
        event,
        context,
        action="OBSERVE",
        disposition=_DISPOSITIONS.get(data["to"].get("stock_status", ""), "in_progress"),
        readPoint=at_place(destination),
        bizLocation=at_place(destination),
        sourceList=[{"type": "location", "source": source}],
        destinationList=[{"type": "location", "destination": destination}],
        **objects([data], context),
    )
    return captured([moved], event, context)


def _without_status(place: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in place.items() if name != "stock_status"}


def _end(data: Mapping[str, Any], name: str, context: OutboundContext) -> str:
    """Without a storage of its own, an end is in the plant's."""
    place = data[name]
    if "storage" not in place and "site" not in place and (own := context.plant.options.get("storage")):
        place = {**place, "storage": own}
    uri = place_uri(place, context)
    if uri is None:
        told = " ".join(f"{key} {value}" for key, value in place.items())
        raise MappingError(
            "place_unknown",
            f"{told} is no location of EPCIS. List it in the option places of target {context.target} in the topology "
            "file, then requeue.",
            name,
        )
    return uri
