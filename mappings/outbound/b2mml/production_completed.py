"""``production.completed.v1``: what an order made; the final report completes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.b2mml.performance import PRODUCED, actual, performance


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    lines = enumerate(data["outputs"], start=1)
    return performance(
        data, [actual(number, line, PRODUCED, data, context) for number, line in lines], context, final=data["final"]
    )
