"""What an event does to stock: one movement for each change of one place.

Scrap of an order moves nothing: what was scrapped was never put into stock, and the components that it took were
issued. A hold moves nothing either: it says what may be done with stock, not where it is. Nor does a shipment that is
told to the plant that it goes to (an ASN): it is in stock there once it is received.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from app.store.ledger_tables import NOWHERE
from mappings.context import Event, ItemFacts
from mappings.units import Quantity, quantity, to_base

UNRESTRICTED, QUALITY, BLOCKED = "unrestricted", "quality", "blocked"


class Kind(StrEnum):
    """Why stock changed."""

    PRODUCED = "produced"
    CONSUMED = "consumed"
    MOVED = "moved"
    ADJUSTED = "adjusted"
    COUNTED = "counted"
    RECEIVED = "received"
    SHIPPED = "shipped"


TYPE_OF: Mapping[Kind, str] = {
    Kind.PRODUCED: "production.completed.v1",
    Kind.CONSUMED: "material.issued.v1",
    Kind.MOVED: "inventory.moved.v1",
    Kind.ADJUSTED: "inventory.adjusted.v1",
    Kind.COUNTED: "inventory.counted.v1",
    Kind.RECEIVED: "receipt.recorded.v1",
    Kind.SHIPPED: "shipment.confirmed.v1",
}
"""The type of event that a movement of each kind comes from."""


class Place(NamedTuple):
    """What one row of stock is about; the unit is the item's base unit."""

    plant: str
    item: str
    uom: str
    storage: str = NOWHERE
    lot: str = NOWHERE
    serial: str = NOWHERE
    status: str = UNRESTRICTED


@dataclass(frozen=True)
class Leg:
    """One change. ``quantity`` is signed; where ``is_count`` it is what was found on the shelf, and the change is
    whatever that makes of it."""

    place: Place
    kind: Kind
    quantity: Decimal
    is_count: bool = False


@dataclass(frozen=True)
class _Here:
    """The event's plant, and the items as they were when it was enriched."""

    plant: str
    items: Mapping[str, ItemFacts]
    data: Mapping[str, Any] = field(default_factory=dict)

    def storage_of(self, line: Mapping[str, Any]) -> str:
        return line.get("storage") or self.data.get("location", {}).get("storage") or NOWHERE

    def base(self, item: str, wire: Mapping[str, str]) -> Quantity:
        """In the item's base unit; as it came where nobody describes items."""
        amount = quantity(wire)
        return to_base(amount, self.items[item]) if item in self.items else amount

    def legs(self, line: Mapping[str, Any], amount: Quantity, sign: int, kind: Kind, **place: Any) -> Iterator[Leg]:
        """The change of one line, a serial at a time where each piece of it has one."""
        where = {"plant": self.plant, "storage": self.storage_of(line), "lot": line.get("lot") or NOWHERE} | place
        serials = list(dict.fromkeys(line.get("serials") or ()))  # told twice it is still one piece
        if len(serials) == amount.value:
            for serial in serials:
                yield Leg(Place(item=line["item"], uom=amount.uom, serial=serial, **where), kind, Decimal(sign))
        elif amount.value:
            yield Leg(Place(item=line["item"], uom=amount.uom, **where), kind, amount.value * sign)


def legs_of(
    plant: str, event: Event, items: Mapping[str, ItemFacts], context: Mapping[str, Any] | None = None
) -> list[Leg]:
    """Every change that the event makes to stock, in the order of the event's lines. ``context``: what was known of it
    when it was enriched.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    reader = None if is_announced(plant, event, context or {}) else _READERS.get(event.type)
    return list(reader(_Here(plant, items, event.data))) if reader else []


def _produced(here: _Here) -> Iterator[Leg]:
    for line in here.data["outputs"]:
        yield from here.legs(line, here.base(line["item"], line["quantity"]), 1, Kind.PRODUCED)


def _consumed(here: _Here) -> Iterator[Leg]:
    for line in here.data["components"]:
        yield from here.legs(line, here.base(line["item"], line["quantity"]), -1, Kind.CONSUMED)


def _moved(here: _Here) -> Iterator[Leg]:
    """Where the second end names no storage location it is the first one's, unless it is at another site."""
    data = here.data
    origin, goal = data["from"], data["to"]
    sites = origin.get("site") or here.plant, goal.get("site") or here.plant
    named = data.get("location", {}).get("storage") or NOWHERE
    left = origin.get("storage") or named
    entered = goal.get("storage") or (left if sites[0] == sites[1] else NOWHERE)
    status = origin.get("stock_status") or UNRESTRICTED
    amount = here.base(data["item"], data["quantity"])
    yield from here.legs(data, amount, -1, Kind.MOVED, plant=sites[0], storage=left, status=status)
    status = goal.get("stock_status") or status
    yield from here.legs(data, amount, 1, Kind.MOVED, plant=sites[1], storage=entered, status=status)


def _adjusted(here: _Here) -> Iterator[Leg]:
    data = here.data
    amount = here.base(data["item"], data["delta"])
    size = Quantity(abs(amount.value), amount.uom)
    yield from here.legs(data, size, -1 if amount.value < 0 else 1, Kind.ADJUSTED)


def _counted(here: _Here) -> Iterator[Leg]:
    """What was found; of serials, each one that was found."""
    data = here.data
    amount = here.base(data["item"], data["counted"])
    lot, storage = data.get("lot") or NOWHERE, here.storage_of(data)
    serials = list(dict.fromkeys(data.get("serials") or ()))
    each = [(serial, Decimal(1)) for serial in serials] if len(serials) == amount.value else []
    for serial, found in each or [(NOWHERE, amount.value)]:
        place = Place(here.plant, data["item"], amount.uom, storage, lot, serial)
        yield Leg(place, Kind.COUNTED, found, is_count=True)


def _received(here: _Here) -> Iterator[Leg]:
    """What is accepted may be used, what is rejected may not, and the rest awaits its inspection."""
    data = here.data
    received, accepted, rejected = (here.base(data["item"], data[n]) for n in ("received", "accepted", "rejected"))
    rest = Quantity(received.value - accepted.value - rejected.value, received.uom)
    parts = ((accepted, UNRESTRICTED), (rejected, BLOCKED), (rest, QUALITY))
    for amount, status in parts:
        yield from here.legs(data, amount, 1, Kind.RECEIVED, status=status)


def _shipped(here: _Here) -> Iterator[Leg]:
    packed = (line for package in here.data.get("packages", ()) for line in package.get("lines", ()))
    for line in (*packed, *here.data.get("lines", ())):
        yield from here.legs(line, here.base(line["item"], line["quantity"]), -1, Kind.SHIPPED)


_READERS: Mapping[str, Callable[[_Here], Iterator[Leg]]] = {
    "production.completed.v1": _produced,
    "material.issued.v1": _consumed,
    "inventory.moved.v1": _moved,
    "inventory.adjusted.v1": _adjusted,
    "inventory.counted.v1": _counted,
    "receipt.recorded.v1": _received,
    "shipment.confirmed.v1": _shipped,
}


def is_announced(plant: str, event: Event, context: Mapping[str, Any]) -> bool:
    """Whether it is a shipment that is told to the plant that it goes to, and that did not leave that plant itself."""
    if event.type != TYPE_OF[Kind.SHIPPED]:
        return False
    goal = context.get("to_plant") or event.data.get("ship_to")
    origin = context.get("from_plant") or event.data.get("ship_from")
    return bool(goal == plant and origin != plant)


def moves_stock(event: Event) -> bool:
    return event.type in _READERS
