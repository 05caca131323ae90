"""Which process of a plant an event belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Process(StrEnum):
    """``other``: what no mapping has read, and business exceptions; ``all``: what is measured of a plant as a whole."""

    PRODUCTION = "production"
    INVENTORY = "inventory"
    QUALITY = "quality"
    RECEIVING = "receiving"
    SHIPPING = "shipping"
    PLANNING = "planning"
    EQUIPMENT = "equipment"
    MASTER_DATA = "master_data"
    OTHER = "other"
    ALL = "all"


_OF_TYPE: Mapping[str, Process] = {
    "production.completed": Process.PRODUCTION,
    "production.scrapped": Process.PRODUCTION,
    "material.issued": Process.PRODUCTION,
    "inventory.moved": Process.INVENTORY,
    "inventory.adjusted": Process.INVENTORY,
    "inventory.counted": Process.INVENTORY,
    "inventory.reserved": Process.INVENTORY,
    "inventory.reservation.ended": Process.INVENTORY,
    "quality.held": Process.QUALITY,
    "quality.released": Process.QUALITY,
    "receipt.recorded": Process.RECEIVING,
    "shipment.confirmed": Process.SHIPPING,
    "production.order.released": Process.PLANNING,
    "purchase.order.placed": Process.PLANNING,
    "replenishment.requested": Process.PLANNING,
    "supply.signalled": Process.PLANNING,
    "equipment.state.changed": Process.EQUIPMENT,
    "item.changed": Process.MASTER_DATA,
    "bom.changed": Process.MASTER_DATA,
}


def process_of(event_type: str | None) -> Process:
    """By the type whatever its version; ``other`` where there is none, or one that is not known."""
    name, _, version = (event_type or "").rpartition(".")
    return _OF_TYPE.get(name, Process.OTHER) if version.startswith("v") else Process.OTHER
