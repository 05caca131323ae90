"""``production.scrapped.v1``: objects of an order are destroyed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.formats.cbv import DISPOSITIONS
from mappings.outbound.epcis.documents import at_place, captured, epcis_event, own_place, transaction
from mappings.outbound.epcis.objects import objects


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    reason = data["reason"]
    destroyed = epcis_event(
        "ObjectEvent",
        "destroying",
        event,
        context,
        action="DELETE",
        disposition=reason if reason in DISPOSITIONS.words else "destroyed",
        readPoint=at_place(own_place(data, context)),
        bizTransactionList=[transaction("prodorder", data["order_id"], context)],
        **objects([data], context),
    )
    return captured([destroyed], event, context)
