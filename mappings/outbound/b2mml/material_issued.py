"""``material.issued.v1``: what an order used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.b2mml.performance import CONSUMED, actual, performance


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    lines = enumerate(data["components"], start=1)
    return performance(data, [actual(number, line, CONSUMED, data, context) for number, line in lines], context)
