"""Which domain of the topology's retention rules a message belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

OTHER = "other"
"""Of messages whose events are not known: they were discarded before anybody could read them."""

DOMAIN_OF: Mapping[str, str] = {
    "production.order.released": "production",
    "production.completed": "production",
    "production.scrapped": "production",
    "material.issued": "production",
    "inventory.moved": "inventory",
    "inventory.adjusted": "inventory",
    "inventory.counted": "inventory",
    "inventory.reserved": "inventory",
    "inventory.reservation.ended": "inventory",
    "receipt.recorded": "logistics",
    "shipment.confirmed": "logistics",
    "purchase.order.placed": "logistics",
    "replenishment.requested": "logistics",
    "supply.signalled": "logistics",
    "quality.held": "quality",
    "quality.released": "quality",
    "equipment.state.changed": "equipment",
    "item.changed": "master_data",
    "bom.changed": "master_data",
}
"""By type without its version."""


def domains_of(types: Iterable[str]) -> set[str]:
    """The domains of a message with events of these types; never empty."""
    return {DOMAIN_OF.get(one.rpartition(".v")[0], OTHER) for one in types} or {OTHER}
