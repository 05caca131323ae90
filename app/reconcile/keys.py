"""By what two systems' stock is compared, and in which unit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.projections.movements import Place
from config.topology import Topology
from mappings.context import ItemFacts, MappingError
from mappings.units import Quantity, to_base


class Level(StrEnum):
    """What is told apart besides plant and item: nothing, the storage location, or that and the lot."""

    ITEM = "item"
    STORAGE = "storage"
    LOT = "lot"


@dataclass(frozen=True, order=True)
class Key:
    plant: str
    item: str
    storage: str = ""
    lot: str = ""


@dataclass(frozen=True)
class Measure:
    """How places become keys and amounts become base units. A place that no event named is where the plant's option
    ``storage`` says, as it is in what targets are sent."""

    topology: Topology
    level: Level
    items: Mapping[str, ItemFacts]

    def key(self, plant: str, item: str, storage: str, lot: str) -> Key:
        if self.level is Level.ITEM:
            return Key(plant, item)
        storage = storage or self._usual_storage(plant)
        return Key(plant, item, storage, lot if self.level is Level.LOT else "")

    def key_of(self, place: Place) -> Key:
        return self.key(place.plant, place.item, place.storage, place.lot)

    def base(self, item: str, value: Decimal, uom: str) -> Decimal | None:
        """In the item's base unit; None where the item has no such unit, or no exact amount of it."""
        facts = self.items.get(item)
        if facts is None or uom == facts.base_uom:
            return value
        try:
            return to_base(Quantity(value, uom), facts).value
        except MappingError:
            return None

    def uom(self, item: str, otherwise: str) -> str:
        facts = self.items.get(item)
        return facts.base_uom if facts is not None else otherwise

    def _usual_storage(self, plant: str) -> str:
        known = self.topology.plants.get(plant)
        usual = known.options.get("storage") if known is not None else None
        return usual if isinstance(usual, str) else ""
