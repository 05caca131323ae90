"""TransformationEvents: inputs and outputs are reported apart, and their transformation id is the link."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import at_place, epcis_event, transaction, transformation_uri
from mappings.outbound.epcis.objects import objects


def by_place(
    lines: Iterable[Mapping[str, Any]], place_of: Callable[[Mapping[str, Any]], str | None]
) -> dict[str | None, list[Mapping[str, Any]]]:
    """Lines by the URI of their place, which an event has only one of."""
    grouped: dict[str | None, list[Mapping[str, Any]]] = {}
    for line in lines:
        grouped.setdefault(place_of(line), []).append(line)
    return grouped


def transformation(
    event: Event,
    context: OutboundContext,
    names: tuple[str, str],
    lines: Sequence[Mapping[str, Any]],
    disposition: str | None = None,
    **places: str | None,
) -> dict[str, Any]:
    return epcis_event(
        "TransformationEvent",
        "creating_class_instance",
        event,
        context,
        disposition=disposition,
        transformationID=transformation_uri(event.data, context),
        bizTransactionList=[transaction("prodorder", event.data["order_id"], context)],
        **{name: at_place(uri) for name, uri in places.items()},
        **objects(lines, context, names),
    )
