"""Stock movement: a transfer between two locations, of one plant or of two.

Tryton knows neither bins nor stock status, so a movement that changes only those has nothing to do there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.tryton.places import document, line, storage


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    origin, destination = _storage(data["from"], context), _storage(data["to"], context)
    if origin == destination:
        return None
    return {**document("transfer", data, context), "from": origin, "to": destination, "lines": [line(data)]}


def _storage(place: Mapping[str, Any], context: OutboundContext) -> str:
    return str(place.get("storage") or storage(context, "stock", place.get("site")))
