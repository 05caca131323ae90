"""What a warehouse has to do: put away what lies where goods come in, and pick what released orders still need.

Both are read from stock and needs as they are, so a task is over once the move or the issue that it asks for was
reported. What is suggested to be picked reserves nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.projections.hold_lists import open_holds_of_lots
from app.projections.movements import Kind
from app.store.availability_tables import Hold, OrderNeed
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE, Movement, Stock
from app.store.reference_tables import ProductionOrder

PAGE_MOST = 200
STOCK_MOST = 2_000
"""Places looked at for one page of needs; beyond, the answer says that there are more."""
UNRESTRICTED = "unrestricted"
_ALWAYS = datetime.min.replace(tzinfo=UTC)

NEED_KEY = (OrderNeed.order_id, OrderNeed.item, OrderNeed.uom)


@dataclass(frozen=True)
class PutAway:
    """Stock in a receiving storage. ``receipt`` is the movement of the last receipt that brought some of it."""

    stock: Stock
    receipt: Movement | None


@dataclass(frozen=True)
class Pick:
    """So much from one place; ``since``: when the lot first came to the plant, where it has one."""

    stock: Stock
    quantity: Decimal
    since: datetime | None


@dataclass(frozen=True)
class PickTask:
    """What an order still needs of an item, from where it may be taken, and how much of it is nowhere to be had."""

    need: OrderNeed
    planned_start_at: datetime | None
    picks: Sequence[Pick] = field(default_factory=tuple)

    @property
    def short(self) -> Decimal:
        return self.need.quantity - sum((pick.quantity for pick in self.picks), Decimal(0))


@dataclass(frozen=True)
class PickPage:
    """``is_cut``: whether more places have the items than were looked at."""

    tasks: Sequence[PickTask]
    is_cut: bool


def list_put_away(
    session: Session, plant: str, storages: Collection[str], limit: int, after: tuple[str, int] | None
) -> list[PutAway]:
    """What lies in these storages, by storage and the order in which places were first used."""
    key = (Stock.storage, Stock.id)
    query = select(Stock).where(Stock.plant == plant, Stock.storage.in_(sorted(storages)))
    query = query.where(Stock.quantity != Decimal(0))
    if after is not None:
        query = query.where(tuple_(*key) > after)
    rows = session.scalars(query.order_by(*key).limit(limit)).all()
    receipts = _last_receipts(session, [row.id for row in rows])
    return [PutAway(row, receipts.get(row.id)) for row in rows]


def list_picks(
    session: Session, plant: str, limit: int, after: Sequence[str] | None, order_id: str | None = None
) -> PickPage:
    """By order and item. Of an item the lot that came first is taken first (FIFO; no event tells when one expires), the
    smallest place before a larger one, and nothing that an open hold covers. What is suggested for one order of the
    page is not suggested for the next."""
    query = select(OrderNeed).where(OrderNeed.plant == plant, OrderNeed.quantity != Decimal(0))
    if order_id is not None:
        query = query.where(OrderNeed.order_id == order_id)
    if after is not None:
        query = query.where(tuple_(*NEED_KEY) > tuple(after))
    needs = session.scalars(query.order_by(*NEED_KEY).limit(limit)).all()
    places = _places(session, plant, {(need.item, need.uom) for need in needs})
    free = _free(session, plant, places[:STOCK_MOST])
    starts = _starts(session, plant, {need.order_id for need in needs})
    tasks = [PickTask(need, starts.get(need.order_id), _take(need, free)) for need in needs]
    return PickPage(tasks, len(places) > STOCK_MOST)


@dataclass
class _Place:
    stock: Stock
    since: datetime | None
    left: Decimal


def _take(need: OrderNeed, free: Mapping[tuple[str, str], Sequence[_Place]]) -> list[Pick]:
    picks: list[Pick] = []
    left = need.quantity
    for place in free.get((need.item, need.uom), ()):
        taken = min(left, place.left)
        if taken > 0:
            picks.append(Pick(place.stock, taken, place.since))
            place.left -= taken
            left -= taken
    return picks


def _places(session: Session, plant: str, items: Collection[tuple[str, str]]) -> Sequence[Stock]:
    if not items:
        return []
    wanted = among((Stock.item, Stock.uom), sorted(items))
    query = select(Stock).where(
        Stock.plant == plant, wanted, Stock.status == UNRESTRICTED, Stock.quantity != Decimal(0)
    )
    return session.scalars(query.order_by(Stock.item, Stock.uom, Stock.storage, Stock.id).limit(STOCK_MOST + 1)).all()


def _free(session: Session, plant: str, rows: Sequence[Stock]) -> dict[tuple[str, str], list[_Place]]:
    """What may be picked of each item, in the order in which it should be."""
    held = open_holds_of_lots(session, {(row.item, row.lot): {plant} for row in rows})
    ages = _first_seen(session, plant, {(row.item, row.lot) for row in rows if row.lot != NOWHERE})
    found: dict[tuple[str, str], list[_Place]] = {}
    for row in rows:
        if row.quantity > 0 and not any(_covers(hold, row) for hold in held.get((row.item, row.lot), ())):
            place = _Place(row, ages.get((row.item, row.lot)), row.quantity)
            found.setdefault((row.item, row.uom), []).append(place)
    for places in found.values():
        places.sort(key=lambda place: (place.since or _ALWAYS, place.stock.quantity, place.stock.id))
    return found


def _covers(hold: Hold, row: Stock) -> bool:
    """A hold of a part of a lot keeps all of it from being suggested: which part it is nobody has told."""
    is_of_lot, is_of_serial = hold.lot in (NOWHERE, row.lot), hold.serial in (NOWHERE, row.serial)
    return hold.plant == row.plant and is_of_lot and is_of_serial


def _first_seen(session: Session, plant: str, lots: Collection[tuple[str, str]]) -> dict[tuple[str, str], datetime]:
    """When each of these lots (item, lot) first came to the plant, by movements that count; also to a place that it has
    left since."""
    found: dict[tuple[str, str], datetime] = {}
    wanted = sorted((lot, item) for item, lot in lots)
    for start in range(0, len(wanted), PAGE_MOST):
        chosen = among((Stock.lot, Stock.item), wanted[start : start + PAGE_MOST])
        first = (
            select(Movement.happened_at)
            .where(Movement.stock_id == Stock.id, Movement.void_at.is_(None))
            .order_by(Movement.happened_at, Movement.id)
            .limit(1)
            .scalar_subquery()
        )
        for item, lot, at in session.execute(select(Stock.item, Stock.lot, first).where(chosen, Stock.plant == plant)):
            if at is not None:
                found[item, lot] = min(at, found.get((item, lot), at))
    return found


def _last_receipts(session: Session, stock_ids: Sequence[int]) -> dict[int, Movement]:
    one = aliased(Movement)
    newest = (
        select(func.max(one.id))
        .where(one.stock_id.in_(stock_ids), one.kind == Kind.RECEIVED.value, one.void_at.is_(None))
        .group_by(one.stock_id)
    )
    ids = session.scalars(newest).all() if stock_ids else []
    return {row.stock_id: row for row in session.scalars(select(Movement).where(Movement.id.in_(ids)))}


def _starts(session: Session, plant: str, orders: Collection[str]) -> dict[str, Any]:
    columns = (ProductionOrder.order_id, ProductionOrder.planned_start_at)
    query = select(*columns).where(ProductionOrder.plant == plant, ProductionOrder.order_id.in_(sorted(orders)))
    return {row.order_id: row.planned_start_at for row in session.execute(query)}
