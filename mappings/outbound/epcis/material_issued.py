"""``material.issued.v1``: the inputs of a transformation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import captured, own_place
from mappings.outbound.epcis.objects import INPUTS
from mappings.outbound.epcis.transformations import by_place, transformation


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """One event for each place that components were taken from."""
    data = event.data
    grouped = by_place(data["components"], lambda line: own_place(data, context, line))
    events = [transformation(event, context, INPUTS, lines, readPoint=place) for place, lines in grouped.items()]
    return captured(events, event, context)
