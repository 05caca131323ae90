"""``production.scrapped.v1``: what an order lost, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.options import REASONS
from mappings.outbound.b2mml.document import property_of
from mappings.outbound.b2mml.performance import SCRAP, actual, performance


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    reason = context.crosswalks.becomes(REASONS, data["reason"], "reason")
    told = [property_of("ScrapReason", [reason])]
    return performance(data, [actual(1, data, SCRAP, data, context, told)], context)
