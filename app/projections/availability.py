"""How much unrestricted stock open holds cover, and so may not be used.

Each piece of stock counts once, whatever number of holds cover it. A hold of so much takes from what narrower holds
(of a serial, then of a lot, then of the whole item) have left, so that what is available is rather too little than too
much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, or_, select, union_all
from sqlalchemy.orm import Session

from app.projections.movements import UNRESTRICTED
from app.store.availability_tables import Hold
from app.store.ledger_tables import NOWHERE, ItemStock, Stock

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
    if not sums:
        return {}
    stock: dict[ItemKey, dict[int, tuple[Piece, Decimal]]] = defaultdict(dict)
    covered: dict[ItemKey, dict[int, set[Piece]]] = defaultdict(lambda: defaultdict(set))
    holds: dict[int, Any] = {}
    for row in session.execute(_covered({(one.plant, one.item) for one in sums})):
        key, piece = (row.plant, row.item, row.uom), (row.lot, row.serial)
        stock[key][row.stock_id] = (piece, row.quantity)
        covered[key][row.hold_id].add(piece)
        holds[row.hold_id] = row
    return {key: _held(stock[key].values(), covered[key], holds, key[2]) for key in stock}


class HeldStock:
    """The unrestricted stock of one item that open holds cover, to be asked place by place."""

    def __init__(self, session: Session, plant: str, item: str, uom: str) -> None:
        self._uom = uom
        self._rows = [row for row in session.execute(_covered({(plant, item)})) if row.uom == uom]

    def within(self, lot: str, storage: str) -> Decimal:
        """How much is on hold in this lot and storage location; empty is any. A hold of so much may lie anywhere, so
        it is taken off wherever there is something that it covers."""
        covered: dict[int, set[Piece]] = defaultdict(set)
        stock: dict[int, tuple[Piece, Decimal]] = {}
        holds: dict[int, Any] = {}
        for row in self._rows:
            if lot in (NOWHERE, row.lot) and storage in (NOWHERE, row.storage):
                piece = (row.lot, row.serial)
                stock[row.stock_id], holds[row.hold_id] = (piece, row.quantity), row
                covered[row.hold_id].add(piece)
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
        bound = hold.held if hold.held_uom == uom else None
        covers.append(Cover(hold.of_lot, hold.of_serial, bound, frozenset(found)))
    return held_amount(pieces, covers)


def _covered(items: set[tuple[str, str]]) -> Any:
    """Each unrestricted stock of these items with each open hold that covers it: by lot, by serial, by item. Three
    joins, since each can look its holds up by an index."""
    of_item, of_serial = Hold.item.in_((NOWHERE, Stock.item)), Hold.serial.in_((NOWHERE, Stock.serial))
    by_lot = and_(Hold.lot != NOWHERE, Stock.lot == Hold.lot, of_item, of_serial)
    by_serial = and_(Hold.lot == NOWHERE, Hold.serial != NOWHERE, Stock.serial == Hold.serial, of_item)
    by_item = and_(Hold.lot == NOWHERE, Hold.serial == NOWHERE, Stock.item == Hold.item)
    return union_all(*(_join(items, condition) for condition in (by_lot, by_serial, by_item)))


def _join(items: set[tuple[str, str]], condition: Any) -> Any:
    place = (Stock.plant, Stock.item, Stock.uom, Stock.lot, Stock.serial, Stock.storage)
    columns = (*place, Stock.quantity, Stock.id.label("stock_id"))
    held = (Hold.lot.label("of_lot"), Hold.serial.label("of_serial"), Hold.quantity.label("held"))
    query: Any = select(*columns, Hold.id.label("hold_id"), *held, Hold.uom.label("held_uom"))
    query = query.join(Hold, and_(Hold.plant == Stock.plant, condition))
    return query.where(_is_of(items), Hold.is_open, Stock.status == UNRESTRICTED, Stock.quantity != Decimal(0))


def _is_of(items: set[tuple[str, str]]) -> Any:
    """Plant by plant: SQLite reads all stock to find pairs of plant and item."""
    by_plant: dict[str, list[str]] = defaultdict(list)
    for plant, item in sorted(items):
        by_plant[plant].append(item)
    return or_(*(and_(Stock.plant == plant, Stock.item.in_(codes)) for plant, codes in by_plant.items()))


def holds_over(plant: str, item: str) -> Any:
    """The condition of holds that cover this item: by its own name, or by a lot or serial that it has."""
    has = select(Stock.id).where(Stock.plant == plant, Stock.item == item)
    of_lot = and_(Hold.lot != NOWHERE, has.where(Stock.lot == Hold.lot).exists())
    of_serial = and_(Hold.lot == NOWHERE, has.where(Stock.serial == Hold.serial).exists())
    is_named = Hold.item.in_((item, NOWHERE))
    return and_(Hold.plant == plant, is_named, or_(Hold.item == item, of_lot, of_serial))
