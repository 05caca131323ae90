"""What a message is about, as far as it is known: its order, lots, items, delivery, and how much."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from app.projections.fulfilment import references_fulfilled
from app.projections.items import load_items
from app.store.documents import CANONICAL, ENRICHED, load_documents
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Event, ItemFacts, MappingError
from mappings.units import Quantity, plain, to_base

ORDER, LOT, ITEM, DELIVERY, PURCHASE_ORDER = "order", "lot", "item", "delivery", "purchase_order"
KINDS = (ORDER, LOT, ITEM, DELIVERY, PURCHASE_ORDER)
CODES_MOST = 100
"""Of one kind of thing: a file of thousands of lots in one message is found by the first hundred of them."""
REFERENCES_MOST = 50
# Amounts that stand beside the one that the event is about.
_BESIDE = ("book", "accepted", "rejected")
_NEEDS = "materials["


@dataclass(frozen=True)
class Amount:
    """``value`` is a decimal as text, in the item's base unit where the item is known."""

    item: str
    value: str
    uom: str


@dataclass(frozen=True)
class Subject:
    """``type``: the canonical type of its first event, None where no mapping has read it; then only what its ordering
    key says is known. ``due``: by when a release wants its order. ``brings``: what others may wait for."""

    type: str | None = None
    orders: Sequence[str] = ()
    lots: Sequence[str] = ()
    items: Sequence[str] = ()
    deliveries: Sequence[str] = ()
    purchase_orders: Sequence[str] = ()
    amounts: Sequence[Amount] = ()
    brings: Sequence[str] = ()
    due: Mapping[str, str] | None = None

    def codes(self) -> Iterator[tuple[str, str]]:
        """Everything it is about, as kind and code."""
        each = (self.orders, self.lots, self.items, self.deliveries, self.purchase_orders)
        return ((kind, code) for kind, codes in zip(KINDS, each, strict=True) for code in codes)

    def stored(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of_stored(cls, stored: Mapping[str, Any]) -> Subject:
        return cls(**{**stored, "amounts": [Amount(**amount) for amount in stored["amounts"]]})


@dataclass(frozen=True)
class Named:
    """A message as its row names it."""

    id: int
    plant: str
    ordering_key: str | None


def subjects_of(session: Session, messages: Sequence[Named]) -> dict[int, Subject]:
    """What each of these is about, from what it became as far as it came."""
    events = events_of(session, [message.id for message in messages])
    items = load_items(session, {code for mine in events.values() for code in _items_of(mine)})
    return {message.id: _subject(message, events.get(message.id, ()), items) for message in messages}


def events_of(session: Session, ids: Sequence[int]) -> dict[int, list[Event]]:
    """The events of these messages; one whose document is not there, or cannot be read, is absent."""
    enriched = load_documents(session, ids, ENRICHED)
    documents = load_documents(session, [key for key in ids if key not in enriched], CANONICAL) | enriched
    events: dict[int, list[Event]] = {}
    for key, body in documents.items():
        try:
            events[key] = [newest(Event(stored["type"], stored["data"])) for stored in body]
        except (KeyError, TypeError):
            continue
    return events


def _items_of(events: Sequence[Event]) -> set[str]:
    try:
        return {code for event in events for code in contract.referenced_items(event)}
    except (AttributeError, LookupError, TypeError):
        return set()  # as a torn document has it


def _subject(message: Named, events: Sequence[Event], items: Mapping[str, ItemFacts]) -> Subject:
    try:
        return _read(message, events, items)
    except (MappingError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return _read(message, (), items)  # a torn document names nothing


def _read(message: Named, events: Sequence[Event], items: Mapping[str, ItemFacts]) -> Subject:
    named: dict[str, dict[str, None]] = {kind: {} for kind in KINDS}
    kind, _, code = (message.ordering_key or "").partition(":")
    if kind in named and code:
        named[kind][code] = None
    for event in events:
        for name, value in _codes(event):
            named[name][value] = None
    chosen = {name: list(codes)[:CODES_MOST] for name, codes in named.items()}
    ends = {event.data["order_id"]: event.data["end"] for event in events if event.data.get("end")}
    return Subject(
        type=events[0].type if events else None,
        orders=chosen[ORDER],
        lots=chosen[LOT],
        items=chosen[ITEM],
        deliveries=chosen[DELIVERY],
        purchase_orders=chosen[PURCHASE_ORDER],
        amounts=_amounts(events, items),
        brings=sorted(references_fulfilled(message.plant, events))[:REFERENCES_MOST],
        due=ends or None,
    )


def _codes(event: Event) -> Iterator[tuple[str, str]]:
    data = event.data
    for kind, name in ((ORDER, "order_id"), (DELIVERY, "delivery_id"), (PURCHASE_ORDER, "purchase_order")):
        if data.get(name):
            yield kind, data[name]
    if event.type == "receipt.recorded.v1" and data["document_ref"].get("id"):
        yield PURCHASE_ORDER, data["document_ref"]["id"]
    for line in (data, *contract.lines_of(event)):
        if line.get("lot"):
            yield LOT, line["lot"]
        if line.get("item"):
            yield ITEM, line["item"]


def _amounts(events: Sequence[Event], items: Mapping[str, ItemFacts]) -> list[Amount]:
    """How much of each item, in its base unit where that is exact; what an order will need is not what it is about."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for event in events:
        for amount in contract.quantities(event):
            if not amount.place.startswith(_NEEDS) and amount.place not in _BESIDE:
                found = _in_base(amount.quantity, items.get(amount.item))
                sums[amount.item, found.uom] += found.value
    return [Amount(item, plain(value), uom) for (item, uom), value in list(sums.items())[:CODES_MOST]]


def _in_base(amount: Quantity, facts: ItemFacts | None) -> Quantity:
    try:
        return amount if facts is None else to_base(amount, facts)
    except MappingError:
        return amount
