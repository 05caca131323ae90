"""``receipt.recorded.v1``: what was received, and apart from it what was rejected at once."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.epcis.documents import at_place, captured, epcis_event, own_place, transaction
from mappings.outbound.epcis.objects import objects
from mappings.units import Quantity

_TYPES = {"purchase_order": "po", "despatch_advice": "desadv"}


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    """Serial numbers do not say which of them were rejected, so where only some were they are left out."""
    data = event.data
    rejected = Decimal(data["rejected"]["value"])
    kept = Decimal(data["received"]["value"]) - rejected
    is_mixed = bool(rejected and kept)
    found = [(rejected, "non_conformant"), (kept, "in_progress")]
    events = [_received(event, value, word, is_mixed, context) for value, word in found if value]
    return captured(events, event, context)


def _received(
    event: Event, value: Decimal, disposition: str, is_mixed: bool, context: OutboundContext
) -> dict[str, Any]:
    data = event.data
    named = ("item", "lot") if is_mixed else ("item", "lot", "serials")
    line = {name: data[name] for name in named if name in data}
    reference = data["document_ref"]
    return epcis_event(
        "ObjectEvent",
        "receiving",
        event,
        context,
        action="OBSERVE",
        disposition=disposition,
        bizLocation=at_place(own_place(data, context)),
        bizTransactionList=[transaction(_TYPES.get(reference["type"]), reference["id"], context)],
        **objects([line | {"quantity": Quantity(value, data["received"]["uom"]).wire()}], context),
    )
