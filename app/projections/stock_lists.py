"""Stock and its movements, a page at a time and never counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, select, tuple_
from sqlalchemy.orm import Session

from app.projections.ledger import STATUSES
from app.store.ledger_tables import ItemStock, Movement, Stock

PAGE_MOST = 200
PLACES_MOST = 500
"""Places whose movements are listed together at most: a filter that means more names too little."""

ITEM_KEY = (ItemStock.plant, ItemStock.item, ItemStock.uom)
PLACE_KEY = (Stock.plant, Stock.item, Stock.uom, Stock.storage, Stock.lot, Stock.serial, Stock.status)


@dataclass(frozen=True)
class StockFilter:
    """None is any; an empty text is what no event named."""

    plant: str | None = None
    item: str | None = None
    storage: str | None = None
    lot: str | None = None
    serial: str | None = None
    status: str | None = None

    @property
    def names_place(self) -> bool:
        return any(value is not None for value in (self.storage, self.lot, self.serial, self.status))


@dataclass(frozen=True)
class MovementFilter:
    stock: StockFilter = StockFilter()
    order_id: str | None = None
    message_id: int | None = None
    kind: str | None = None
    void: bool = False


class TooManyPlaces(Exception):
    """The filter means more places than are listed together."""


def list_items(
    session: Session, plant: str | None, item: str | None, limit: int, after: Sequence[str] | None = None
) -> Sequence[ItemStock]:
    """What plants have of items, by plant and item; ``after`` is the key of the last of the page before."""
    query = select(ItemStock).order_by(*ITEM_KEY).limit(limit)
    query = _equal(query, (ItemStock.plant, plant), (ItemStock.item, item))
    if after is not None:
        query = query.where(tuple_(*ITEM_KEY) > tuple(after))
    return session.scalars(query).all()


def list_places(
    session: Session, chosen: StockFilter, limit: int, after: Sequence[str] | None = None, empty: bool = False
) -> Sequence[Stock]:
    """Stock by place; with ``empty`` also where there was some once."""
    query = _places(select(Stock), chosen).order_by(*PLACE_KEY).limit(limit)
    if not empty:
        query = query.where(Stock.quantity != Decimal(0))
    if after is not None:
        query = query.where(tuple_(*PLACE_KEY) > tuple(after))
    return session.scalars(query).all()


def list_movements(
    session: Session, chosen: MovementFilter, limit: int, before: int | None = None
) -> Sequence[tuple[Movement, Stock]]:
    """The movements that were entered last come first. Raises TooManyPlaces."""
    query: Any = select(Movement, Stock).join(Stock, Stock.id == Movement.stock_id)
    query = query.order_by(Movement.id.desc()).limit(limit)
    stock = chosen.stock
    if stock.names_place:
        query = query.where(Movement.stock_id.in_(_ids_of_places(session, stock)))
    query = _equal(
        query,
        (Movement.plant, stock.plant),
        (Movement.item, stock.item),
        (Movement.order_id, chosen.order_id),
        (Movement.message_id, chosen.message_id),
        (Movement.kind, chosen.kind),
    )
    if not chosen.void:
        query = query.where(Movement.void_at.is_(None))
    if before is not None:
        query = query.where(Movement.id < before)
    return [(row[0], row[1]) for row in session.execute(query)]


def sums_of_item(session: Session, plant: str, item: str) -> Sequence[ItemStock]:
    """One row a unit: an item whose base unit changed has stock in each."""
    return list_items(session, plant, item, PAGE_MOST)


def total(sums: ItemStock) -> Decimal:
    return sum((getattr(sums, status) for status in STATUSES), Decimal(0))


def _ids_of_places(session: Session, stock: StockFilter) -> list[int]:
    ids = list(session.scalars(_places(select(Stock.id), stock).limit(PLACES_MOST + 1)))
    if len(ids) > PLACES_MOST:
        raise TooManyPlaces
    return ids


def _places(query: Select[Any], chosen: StockFilter) -> Select[Any]:
    return _equal(
        query,
        (Stock.plant, chosen.plant),
        (Stock.item, chosen.item),
        (Stock.storage, chosen.storage),
        (Stock.lot, chosen.lot),
        (Stock.serial, chosen.serial),
        (Stock.status, chosen.status),
    )


def _equal(query: Select[Any], *wanted: tuple[Any, Any]) -> Select[Any]:
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    return query
