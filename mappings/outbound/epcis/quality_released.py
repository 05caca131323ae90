"""``quality.released.v1``: goods that may be used again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import captured
from mappings.outbound.epcis.judgements import judged


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    return captured([judged(event, event.data["status"], context, event.data.get("reason"))], event, context)
