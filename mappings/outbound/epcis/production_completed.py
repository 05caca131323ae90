"""``production.completed.v1``: the outputs of a transformation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import captured, own_place
from mappings.outbound.epcis.objects import OUTPUTS
from mappings.outbound.epcis.transformations import by_place, transformation


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """One event for each place that outputs went to. None where nothing came of the order."""
    data = event.data
    grouped = by_place(data["outputs"], lambda line: own_place(data, context, line))
    events = [
        transformation(event, context, OUTPUTS, lines, bizLocation=place, disposition="in_progress")
        for place, lines in grouped.items()
    ]
    return captured(events, event, context)
