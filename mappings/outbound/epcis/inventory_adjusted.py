"""``inventory.adjusted.v1``: a difference that stock taking found. Objects come (ADD) or go (DELETE) with it, and the
disposition says that there was a disparity (CBV 2.0, section 7.2: ``mismatch_quantity``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.formats.cbv import REASON
from mappings.outbound.epcis.documents import at_place, captured, epcis_event, own_place
from mappings.outbound.epcis.objects import objects


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """EPCIS has no word for why: the reason stands in an extension."""
    data, delta = event.data, event.data["delta"]
    amount = {**delta, "value": delta["value"].removeprefix("-")}
    adjusted = epcis_event(
        "ObjectEvent",
        "stock_taking",
        event,
        context,
        action="DELETE" if delta["value"].startswith("-") else "ADD",
        disposition="mismatch_quantity",
        bizLocation=at_place(own_place(data, context)),
        **objects([{**data, "quantity": amount}], context),
        **{REASON: data["reason"]},
    )
    return captured([adjusted], event, context)
