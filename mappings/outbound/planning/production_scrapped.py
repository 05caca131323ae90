"""``production.scrapped.v1``: supply that planning counted on will not come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.options import REASONS
from mappings.outbound.planning.signals import change, signal


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    reason = context.crosswalks.becomes(REASONS, data["reason"], "reason")
    return signal(data, context, [change(data, context, -1, kind="scrapped", reason=reason)])
