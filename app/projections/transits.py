"""Goods on their way to own plants, from others of them and from suppliers: what was sent there, less what came under
the same document.

Which arrival ends which sending is worked out anew for all that their documents link, from the events that count, so it
does not depend on the order in which they are entered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from app.projections.item_sums import ItemKey, add_to_sums
from app.projections.origin import Origin, void_rows
from app.projections.receipts import ReceiptLine
from app.projections.shipments import ShipmentTold
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE
from app.store.logistics_tables import Arrival, Shipment, TransitLine
from mappings.units import Quantity

CHUNK = 200
_DELIVERIES = frozenset({"delivery", "despatch_advice"})
"""Types of documents by which a receipt names a delivery."""

Key = tuple[str, str]
"""plant of destination, document"""


@dataclass(frozen=True)
class Sent:
    """``from_plant`` sent it to ``to_plant``; empty where it comes from a supplier."""

    origin: Origin
    from_plant: str
    line: int
    to_plant: str
    item: str
    amount: Quantity
    lot: str
    delivery_key: str
    order_key: str = NOWHERE


@dataclass(frozen=True)
class Came:
    """It came to ``origin.plant``."""

    origin: Origin
    key: str
    item: str
    amount: Quantity
    lot: str


def document_key(kind: str, code: str) -> str:
    """One text for one document, whatever partners call a delivery."""
    return f"{'delivery' if kind in _DELIVERIES else kind}:{code}"


def sent_by(shipments: Iterable[ShipmentTold]) -> Iterator[Sent]:
    """What these shipments send to own plants. What another own plant sends counts by what that plant itself tells."""
    for one in shipments:
        for number, line in enumerate(one.lines if one.is_on_way else (), start=1):
            ref = line.order_ref
            order = document_key(ref["type"], ref["id"]) if ref else NOWHERE
            delivery = document_key("delivery", one.delivery_id)
            yield Sent(
                one.origin, one.from_plant, number, one.to_plant, line.item, line.amount, line.lot, delivery, order
            )


def came_by(receipts: Iterable[ReceiptLine]) -> Iterator[Came]:
    """What these receipts brought, of own plants or of others."""
    for one in receipts:
        yield Came(one.origin, document_key(*one.document), one.item, one.received, one.lot)


def enter_transits(session: Session, sent: Sequence[Sent], came: Sequence[Came]) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if sent:
        session.connection().execute(insert(TransitLine), [_sent_values(one) for one in sent])
    if came:
        session.connection().execute(insert(Arrival), [_came_values(one) for one in came])
    gains: dict[ItemKey, Decimal] = defaultdict(Decimal)
    for one in sent:
        gains[one.to_plant, one.item, one.amount.uom] += one.amount.value
    keys = {(one.to_plant, key) for one in sent for key in (one.delivery_key, one.order_key) if key}
    _settle(session, keys | {(one.origin.plant, one.key) for one in came}, gains)


def void_transits(session: Session, message_ids: Collection[int], now: datetime) -> None:
    """Take what these messages, which were reversed, sent and brought back."""
    gains: dict[ItemKey, Decimal] = defaultdict(Decimal)
    ids = sorted(message_ids)
    columns = (TransitLine.to_plant, TransitLine.item, TransitLine.uom, TransitLine.on_way)
    query = select(*columns).where(TransitLine.message_id.in_(ids), TransitLine.void_at.is_(None))
    for to_plant, item, uom, on_way in session.execute(query):
        gains[to_plant, item, uom] -= on_way
    named = (TransitLine.to_plant, TransitLine.delivery_key, TransitLine.order_key)
    gone = void_rows(session, TransitLine, named, ids, now, on_way=Decimal(0), is_on_way=False)
    keys = {(plant, key) for plant, *both in gone for key in both if key}
    came = void_rows(session, Arrival, (Arrival.plant, Arrival.key), ids, now)
    _settle(session, keys | {(plant, key) for plant, key in came}, gains)


def _settle(session: Session, keys: Collection[Key], gains: dict[ItemKey, Decimal]) -> None:
    lines, linked = _linked(session, keys)
    changed = []
    if lines:
        _allocate(lines, _arrivals(session, linked))
        changed = [line for line in lines if line.is_changed]
    for line in changed:
        gains[line.to_plant, line.item, line.uom] += line.left - line.was
    if changed:
        session.connection().execute(_SAVED, [line.saved for line in changed])
    _tell_shipments(session, {line.message_id for line in changed})
    add_to_sums(session, "in_transit", {key: gain for key, gain in gains.items() if gain})


@dataclass
class _Open:
    """A sending while arrivals are given to it."""

    id: int
    message_id: int
    to_plant: str
    item: str
    uom: str
    lot: str
    keys: frozenset[str]
    quantity: Decimal
    arrived_before: Decimal
    was: Decimal
    arrived_at_before: datetime | None
    arrived: Decimal = Decimal(0)
    arrived_at: datetime | None = None

    @property
    def left(self) -> Decimal:
        return self.quantity - self.arrived

    @property
    def ended_at(self) -> datetime | None:
        return None if self.left else self.arrived_at

    @property
    def is_changed(self) -> bool:
        return (self.arrived, self.ended_at) != (self.arrived_before, self.arrived_at_before)

    @property
    def saved(self) -> dict[str, Any]:
        left = {"b_on_way": self.left, "b_is_on_way": bool(self.left)}
        return {"b_id": self.id, "b_arrived": self.arrived, **left, "b_arrived_at": self.ended_at}


_SAVED = (
    update(TransitLine)
    .where(TransitLine.id == bindparam("b_id"))
    .values(
        arrived=bindparam("b_arrived"),
        on_way=bindparam("b_on_way"),
        is_on_way=bindparam("b_is_on_way"),
        arrived_at=bindparam("b_arrived_at"),
    )
)


def _linked(session: Session, keys: Collection[Key]) -> tuple[list[_Open], set[Key]]:
    """All sendings that these documents name, those that are named by a document of one of them, and so on."""
    found: dict[int, _Open] = {}
    seen, todo = set[Key](), set(keys)
    while todo:
        seen |= todo
        further: set[Key] = set()
        for row in _rows_of(session, sorted(todo)):
            named = frozenset(key for key in (row.delivery_key, row.order_key) if key)
            further |= {(row.to_plant, key) for key in named}
            place = (row.to_plant, row.item, row.uom, row.lot, named)
            amounts = (row.quantity, row.arrived, row.on_way, row.arrived_at)
            found[row.id] = _Open(row.id, row.message_id, *place, *amounts)
        todo = further - seen
    return [found[key] for key in sorted(found)], seen


def _rows_of(session: Session, keys: Sequence[Key]) -> Iterator[Any]:
    turned = [(key, plant) for plant, key in keys]
    for start in range(0, len(turned), CHUNK):
        chunk = turned[start : start + CHUNK]
        for column in (TransitLine.delivery_key, TransitLine.order_key):
            query = select(TransitLine.__table__).where(among((column, TransitLine.to_plant), chunk))
            yield from session.execute(query.where(TransitLine.void_at.is_(None)))


def _arrivals(session: Session, keys: Collection[Key]) -> list[Any]:
    turned = [(key, plant) for plant, key in sorted(keys)]
    found: list[Any] = []
    for start in range(0, len(turned), CHUNK):
        query = select(Arrival.__table__).where(among((Arrival.key, Arrival.plant), turned[start : start + CHUNK]))
        found += session.execute(query.where(Arrival.void_at.is_(None)))
    return sorted(found, key=lambda row: (row.happened_at, row.message_id, row.event_index))


def _allocate(lines: Sequence[_Open], arrivals: Iterable[Any]) -> None:
    """Give each arrival to sendings of its document, item and unit: first to those of its lot, then to those where one
    of the two names none; the oldest first. What is more than was sent is no one's."""
    by_place: dict[tuple[str, str, str], list[_Open]] = defaultdict(list)
    for line in lines:
        by_place[line.to_plant, line.item, line.uom].append(line)
    for row in arrivals:
        mine = [line for line in by_place.get((row.plant, row.item, row.uom), ()) if row.key in line.keys]
        same = [line for line in mine if line.lot == row.lot]
        unnamed = [line for line in mine if line.lot != row.lot and NOWHERE in (line.lot, row.lot)]
        left = row.quantity
        for line in (*same, *unnamed):
            taken = min(left, line.left)
            if taken:
                line.arrived += taken
                line.arrived_at = max(line.arrived_at or row.happened_at, row.happened_at)
                left -= taken


def _tell_shipments(session: Session, message_ids: Collection[int]) -> None:
    """Whether some of the shipments of these messages are still under way, and when the last of each came."""
    ids = sorted(message_ids)
    for start in range(0, len(ids), CHUNK):
        chunk = ids[start : start + CHUNK]
        columns = (TransitLine.message_id, TransitLine.event_index, TransitLine.is_on_way, TransitLine.arrived_at)
        query = select(*columns).where(TransitLine.message_id.in_(chunk), TransitLine.void_at.is_(None))
        lines: dict[tuple[int, int], list[Any]] = defaultdict(list)
        for row in session.execute(query):
            lines[row.message_id, row.event_index].append(row)
        values = [_told(*key, rows) for key, rows in sorted(lines.items())]
        if values:
            session.connection().execute(_TOLD, values)


def _told(message_id: int, event_index: int, rows: Sequence[Any]) -> dict[str, Any]:
    on_way = any(row.is_on_way for row in rows)
    came = None if on_way else max((row.arrived_at for row in rows if row.arrived_at), default=None)
    return {"b_message": message_id, "b_index": event_index, "b_on_way": on_way, "b_arrived_at": came}


_TOLD = (
    update(Shipment)
    .where(
        Shipment.message_id == bindparam("b_message"),
        Shipment.event_index == bindparam("b_index"),
        Shipment.void_at.is_(None),
    )
    .values(on_way=bindparam("b_on_way"), arrived_at=bindparam("b_arrived_at"))
)


def _sent_values(one: Sent) -> dict[str, Any]:
    origin = one.origin.columns
    del origin["plant"]
    return {
        "from_plant": one.from_plant,
        **origin,
        "line": one.line,
        "to_plant": one.to_plant,
        "item": one.item,
        "uom": one.amount.uom,
        "lot": one.lot,
        "delivery_key": one.delivery_key,
        "order_key": one.order_key,
        "quantity": one.amount.value,
        "arrived": Decimal(0),
        "on_way": one.amount.value,
        "is_on_way": True,
        "arrived_at": None,
        "void_at": None,
    }


def _came_values(one: Came) -> dict[str, Any]:
    return {
        **one.origin.columns,
        "key": one.key,
        "item": one.item,
        "uom": one.amount.uom,
        "lot": one.lot,
        "quantity": one.amount.value,
        "void_at": None,
    }
