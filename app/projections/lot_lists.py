"""Lots, a page at a time: where each is, what keeps it from being used, whom it came from and to whom it went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from app.projections.hold_lists import open_holds_of_lots
from app.projections.purchase_lists import suppliers_of
from app.projections.versions import PURCHASE_ORDER
from app.store.availability_tables import Hold
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE, Stock
from app.store.logistics_tables import Receipt, Shipment, ShipmentLine

CHUNK = 200
PLACES_MOST = 5_000
"""Rows of stock that the lots of one page are summed from at most; a lot of which more is told as not whole."""

Lot = tuple[str, str]
"""item, lot"""
LOT_KEY = (Stock.lot, Stock.item)


@dataclass(frozen=True)
class LotFilter:
    """None is any; ``there``: only lots of which something is on hand."""

    plant: str | None = None
    item: str | None = None
    lot: str | None = None
    there: bool = False


@dataclass(frozen=True)
class LotPlace:
    plant: str
    storage: str
    status: str
    uom: str
    quantity: Decimal


@dataclass(frozen=True)
class LotPicture:
    item: str
    lot: str
    places: Sequence[LotPlace] = field(default_factory=tuple)
    is_whole: bool = True
    holds: Sequence[Hold] = field(default_factory=tuple)
    suppliers: Sequence[str] = field(default_factory=tuple)
    customers: Sequence[str] = field(default_factory=tuple)


def list_lots(session: Session, chosen: LotFilter, limit: int, after: Sequence[str] | None = None) -> list[LotPicture]:
    """Lots that have moved, by lot and item; ``after`` is the (lot, item) of the last of the page before."""
    # One lower bound: of two, SQLite may begin at the lesser and read all that lies between.
    begins = Stock.lot >= after[0] if after and after[0] else Stock.lot > NOWHERE
    query: Any = select(*LOT_KEY).where(begins, Stock.moved_at.is_not(None)).distinct()
    wanted = ((Stock.plant, chosen.plant), (Stock.item, chosen.item), (Stock.lot, chosen.lot))
    query = query.where(*(column == value for column, value in wanted if value is not None))
    if chosen.there:
        query = query.where(Stock.quantity != Decimal(0))
    if after is not None:
        query = query.where(tuple_(*LOT_KEY) > tuple(after))
    lots = [(row.item, row.lot) for row in session.execute(query.order_by(*LOT_KEY).limit(limit))]
    return _pictures(session, lots, chosen.plant)


def _pictures(session: Session, lots: Sequence[Lot], plant: str | None) -> list[LotPicture]:
    if not lots:
        return []
    places, is_whole = _places(session, lots, plant)
    plants = {lot: {place.plant for place in places.get(lot, ())} for lot in lots}
    holds = open_holds_of_lots(session, plants)
    suppliers, customers = suppliers_of_lots(session, lots), customers_of_lots(session, lots)
    return [
        LotPicture(
            *lot,
            places=places.get(lot, ()),
            is_whole=is_whole,
            holds=holds.get(lot, ()),
            suppliers=sorted(suppliers.get(lot, ())),
            customers=sorted(customers.get(lot, ())),
        )
        for lot in lots
    ]


def _places(session: Session, lots: Sequence[Lot], plant: str | None) -> tuple[Mapping[Lot, list[LotPlace]], bool]:
    """Serials of one place together."""
    columns = (Stock.item, Stock.lot, Stock.plant, Stock.storage, Stock.status, Stock.uom)
    query = select(*columns, Stock.quantity).where(among((Stock.lot, Stock.item), [(lot, item) for item, lot in lots]))
    query = query.where(Stock.quantity != Decimal(0))
    if plant is not None:
        query = query.where(Stock.plant == plant)
    sums: dict[tuple[str, str, str, str, str, str], Decimal] = defaultdict(Decimal)
    rows = session.execute(query.limit(PLACES_MOST + 1)).all()
    for item, lot, at_plant, storage, status, uom, quantity in rows[:PLACES_MOST]:
        sums[item, lot, at_plant, storage, status, uom] += quantity
    found: dict[Lot, list[LotPlace]] = defaultdict(list)
    for (item, lot, at_plant, storage, status, uom), quantity in sorted(sums.items()):
        found[item, lot].append(LotPlace(at_plant, storage, status, uom, quantity))
    return found, len(rows) <= PLACES_MOST


def suppliers_of_lots(session: Session, lots: Collection[Lot]) -> dict[Lot, set[str]]:
    """Who the lots were bought from: the suppliers of the purchase orders that their receipts name."""
    orders: dict[Lot, set[str]] = defaultdict(set)
    wanted = set(lots)
    for codes in _codes(lots):
        query = select(Receipt.item, Receipt.lot, Receipt.document_id).where(Receipt.lot.in_(codes))
        query = query.where(Receipt.void_at.is_(None), Receipt.document_type == PURCHASE_ORDER)
        for row in session.execute(query.distinct()):
            if (row.item, row.lot) in wanted:
                orders[row.item, row.lot].add(row.document_id)
    suppliers = suppliers_of(session, {code for codes in orders.values() for code in codes})
    found = {lot: {suppliers[code] for code in codes if code in suppliers} for lot, codes in orders.items()}
    return {lot: named for lot, named in found.items() if named}


def customers_of_lots(session: Session, lots: Collection[Lot]) -> dict[Lot, set[str]]:
    """To whom the lots were shipped, other than to own plants."""
    found: dict[Lot, set[str]] = defaultdict(set)
    wanted = set(lots)
    for codes in _codes(lots):
        query: Any = select(ShipmentLine.item, ShipmentLine.lot, Shipment.ship_to).where(ShipmentLine.lot.in_(codes))
        query = query.join(Shipment, Shipment.id == ShipmentLine.shipment_id)
        to_others = (Shipment.ship_to.is_not(None), Shipment.to_plant == NOWHERE, Shipment.void_at.is_(None))
        for row in session.execute(query.where(*to_others).distinct()):
            if (row.item, row.lot) in wanted:
                found[row.item, row.lot].add(row.ship_to)
    return found


def _codes(lots: Collection[Lot]) -> Sequence[Sequence[str]]:
    """By the lots' names alone: told the items besides, SQLite looks these up, of which there are far more rows."""
    names = sorted({lot for _, lot in lots})
    return [names[start : start + CHUNK] for start in range(0, len(names), CHUNK)]
