"""How much unrestricted stock open holds cover, and so may not be used.

Each piece of stock counts once, whatever number of holds cover it. A hold of so much takes from what narrower holds
(of a serial, then of a lot, then of the whole item) have left, so that what is available is rather too little than too
much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from app.projections.movements import UNRESTRICTED
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE, ItemStock, Stock

CHUNK = 400
Piece = tuple[str, str]
"""lot, serial"""
ItemKey = tuple[str, str, str]
"""plant, item, uom"""


@dataclass(frozen=True)
class Cover:
    """What one open hold covers of an item: these pieces, or at most ``quantity`` of them."""

    lot: str
    serial: str
    quantity: Decimal | None
    pieces: frozenset[Piece]

    @property
    def order(self) -> tuple[bool, bool, bool, str, str]:
        """Narrower ones first; of equal subjects those that cover all."""
        return not self.serial, not self.lot, self.quantity is not None, self.lot, self.serial


def held_amount(stock: dict[Piece, Decimal], covers: Iterable[Cover]) -> Decimal:
    """How much of ``stock`` these cover. What is overdrawn cannot be held."""
    left = {piece: amount for piece, amount in stock.items() if amount > 0}
    held = Decimal(0)
    for cover in sorted(covers, key=lambda one: one.order):
        wanted = cover.quantity
        for piece in sorted(cover.pieces & left.keys()):
            taken = left[piece] if wanted is None else min(left[piece], wanted)
            left[piece] -= taken
            held += taken
            wanted = None if wanted is None else wanted - taken
    return held


def on_hold(session: Session, sums: Sequence[ItemStock]) -> dict[ItemKey, Decimal]:
    """How much of the unrestricted stock of these items is on hold; items of which nothing is are left out."""
    items: dict[str, set[str]] = defaultdict(set)
    for one in sums:
        items[one.plant].add(one.item)
    stock: dict[ItemKey, dict[int, tuple[Piece, Decimal]]] = defaultdict(dict)
    covered: dict[ItemKey, dict[int, set[Piece]]] = defaultdict(lambda: defaultdict(set))
    holds: dict[int, Any] = {}
    for row, hold in chain.from_iterable(_covered(session, plant, codes) for plant, codes in items.items()):
        key, piece = (row.plant, row.item, row.uom), (row.lot, row.serial)
        stock[key][row.id] = (piece, row.quantity)
        covered[key][hold.id].add(piece)
        holds[hold.id] = hold
    return {key: _held(stock[key].values(), covered[key], holds, key[2]) for key in stock}


class HeldStock:
    """The unrestricted stock of one item that open holds cover, to be asked place by place."""

    def __init__(self, session: Session, plant: str, item: str, uom: str) -> None:
        self._uom = uom
        self._rows = [pair for pair in _covered(session, plant, {item}) if pair[0].uom == uom]

    def within(self, lot: str, storage: str) -> Decimal:
        """How much is on hold in this lot and storage location; empty is any. A hold of so much may lie anywhere, so
        it is taken off wherever there is something that it covers."""
        covered: dict[int, set[Piece]] = defaultdict(set)
        stock: dict[int, tuple[Piece, Decimal]] = {}
        holds: dict[int, Any] = {}
        for row, hold in self._rows:
            if lot in (NOWHERE, row.lot) and storage in (NOWHERE, row.storage):
                piece = (row.lot, row.serial)
                stock[row.id], holds[hold.id] = (piece, row.quantity), hold
                covered[hold.id].add(piece)
        return _held(stock.values(), covered, holds, self._uom)


def _held(
    rows: Iterable[tuple[Piece, Decimal]], covered: dict[int, set[Piece]], holds: dict[int, Any], uom: str
) -> Decimal:
    pieces: dict[Piece, Decimal] = defaultdict(Decimal)
    for piece, quantity in rows:
        pieces[piece] += quantity
    covers = []
    for key, found in covered.items():
        hold = holds[key]
        # So much in another unit says nothing of how much this is: all of it stays on hold.
        bound = hold.quantity if hold.uom == uom else None
        covers.append(Cover(hold.lot, hold.serial, bound, frozenset(found)))
    return held_amount(pieces, covers)


_STOCK: Any = (Stock.id, Stock.plant, Stock.item, Stock.uom, Stock.lot, Stock.serial, Stock.storage, Stock.quantity)
_HOLD: Any = (Hold.id, Hold.item, Hold.lot, Hold.serial, Hold.quantity, Hold.uom)


def _covered(session: Session, plant: str, items: Collection[str]) -> Iterator[tuple[Any, Any]]:
    """Each unrestricted stock of these items with each open hold that covers it: by lot, by serial, by item. First the
    holds, of which there are few, then what they cover: joined by the database, all that the plant ever had of the
    items is looked at, or all its holds."""
    chosen = (Hold.is_open.expression, Hold.plant == plant, Hold.item.in_((NOWHERE, *sorted(items))))
    of_lot: dict[str, list[Any]] = defaultdict(list)
    of_serial: dict[str, list[Any]] = defaultdict(list)
    of_item: dict[str, list[Any]] = defaultdict(list)
    for hold in session.execute(select(*_HOLD).where(*chosen)):
        if hold.lot != NOWHERE:
            of_lot[hold.lot].append(hold)
        elif hold.serial != NOWHERE:
            of_serial[hold.serial].append(hold)
        else:
            of_item[hold.item].append(hold)
    whole = {hold.item for each in (of_serial, of_item) for holds in each.values() for hold in holds}
    for row in _stock(session, plant, items, set(of_lot), set(items) if NOWHERE in whole else whole):
        over = [hold for hold in of_lot.get(row.lot, ()) if hold.serial in (NOWHERE, row.serial)]
        over = [hold for hold in (*over, *of_serial.get(row.serial, ())) if hold.item in (NOWHERE, row.item)]
        for hold in (*over, *of_item.get(row.item, ())):
            yield row, hold


def _stock(session: Session, plant: str, items: Collection[str], lots: set[str], whole: set[str]) -> Iterable[Any]:
    """Of these lots, and all of the items ``whole``. Items of lots are told apart here: asked for both, SQLite looks
    each lot up with each item."""
    there = select(*_STOCK).where(Stock.plant == plant, Stock.status == UNRESTRICTED, Stock.quantity != Decimal(0))
    found: dict[int, Any] = {}
    for column, values in ((Stock.lot, sorted(lots)), (Stock.item, sorted(whole))):
        for start in range(0, len(values), CHUNK):
            rows = session.execute(there.where(column.in_(values[start : start + CHUNK])))
            found |= {row.id: row for row in rows if row.item in items}
    return found.values()


def holds_over(plant: str, item: str) -> Any:
    """The condition of holds that cover this item: by its own name, or by a lot or serial that it has."""
    has = select(Stock.id).where(Stock.plant == plant, Stock.item == item)
    of_lot = and_(Hold.lot != NOWHERE, has.where(Stock.lot == Hold.lot).exists())
    of_serial = and_(Hold.lot == NOWHERE, has.where(Stock.serial == Hold.serial).exists())
    is_named = Hold.item.in_((item, NOWHERE))
    return and_(Hold.plant == plant, is_named, or_(Hold.item == item, of_lot, of_serial))
