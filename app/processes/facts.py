"""What is free of one item: stock, less holds, less what others were promised, less what is on its way out.

What is on its way out is counted as if it had left already: its stock is gone, and its order's need and reservation are
so much smaller. So nothing counts twice, and nothing is free that an accepted issue is about to take.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.processes.refusal import CallRefused
from app.projections.availability import HeldStock
from app.projections.movements import UNRESTRICTED, Place
from app.projections.reservation_lists import beyond_needs
from app.projections.reservation_uses import Kept, StockUse, kept_of, take
from app.store.availability_tables import OrderNeed
from app.store.ledger_tables import NOWHERE, ItemStock, Stock
from app.store.reservation_tables import IS_OPEN, Reservation, Withdrawal

PROMISES_MOST = 2_000
"""Open reservations, and as many lines on their way out, that one item of a plant may have."""


@dataclass
class Picture:
    """One item of a plant, as one state of the database has it. ``unrestricted`` and ``on_hold`` by place asked for:
    (lot, storage), where empty is any."""

    place: Place
    unrestricted: dict[tuple[str, str], Decimal]
    held: dict[tuple[str, str], Decimal]
    needs_of_all: Decimal
    needs: dict[str, Decimal]
    """By order, of those that have a reservation, take stock now, or ask."""
    kept: list[Kept]
    leaving: list[StockUse] = field(default_factory=list)

    def leave(self, use: StockUse) -> None:
        """Count this as gone."""
        take(self.kept, use)
        self.leaving.append(use)
        if use.order_id in self.needs:
            less = min(self.needs[use.order_id], use.quantity)
            self.needs[use.order_id] -= less
            self.needs_of_all -= less

    def free_to_reserve(self, asked: Kept) -> Decimal:
        """How much whoever asks may still reserve: an order's own need is no obstacle, what it reserved is."""
        own = [one for one in self.kept if one.claimant == asked.claimant]
        return min(
            self._left_by_others(around, own, asked.order_id) - _sum_within(own, around)
            for around in _around(asked.place)
        )

    def free_to_take(self, use: StockUse) -> Decimal:
        """How much the use may take: what was kept for it is there for it, apart from what it would not touch."""
        own = [one for one in self.kept if one.is_of(use)]
        rest = [replace(one) for one in own]
        take(rest, use)
        return min(
            self._left_by_others(around, own, use.order_id) - _sum_within(rest, around) for around in _around(use.place)
        )

    def _left_by_others(self, around: tuple[str, str], own: Sequence[Kept], order_id: str | None) -> Decimal:
        gone = sum((u.quantity for u in self.leaving if _is_within(u.place, around)), Decimal(0))
        mine = {one.id for one in own}
        others = [one for one in self.kept if one.id not in mine]
        left = self.unrestricted[around] - self.held[around] - gone
        if around != (NOWHERE, NOWHERE):  # orders need an item, wherever it lies
            return left - _sum_within(others, around)
        needs = {key: need for key, need in self.needs.items() if key != order_id}
        asked_for = self.needs_of_all - self.needs.get(order_id or "", Decimal(0))
        return left - asked_for - beyond_needs(others, needs)


def read_picture(session: Session, place: Place, asks: str | None, now: datetime) -> Picture:
    """The item of this place, for a call about the place; ``asks``: the order that it is for. The session sees one
    state of the database. Raises CallRefused where more is promised of the item than is looked through."""
    kept, leaving = _kept(session, place, now), _leaving(session, place)
    named = [*(one.order_id for one in kept), *(use.order_id for use in leaving), asks]
    orders = {order for order in named if order}
    picture = Picture(place, {}, {}, Decimal(0), _needs(session, place, sorted(orders)), kept)
    sums = session.get(ItemStock, (place.plant, place.item, place.uom))
    picture.needs_of_all = sums.reserved if sums else Decimal(0)
    held = HeldStock(session, place.plant, place.item, place.uom)
    for around in _around(place):
        everywhere = around == (NOWHERE, NOWHERE)
        there = (sums.unrestricted if sums else Decimal(0)) if everywhere else _stock_within(session, place, around)
        picture.unrestricted[around], picture.held[around] = there, held.within(*around)
    for use in leaving:
        picture.leave(use)
    return picture


def _around(place: Place) -> list[tuple[str, str]]:
    """Every place asked for that has this one in it: itself, its lot, its storage location, everywhere."""
    lots, storages = dict.fromkeys((place.lot, NOWHERE)), dict.fromkeys((place.storage, NOWHERE))
    return [(lot, storage) for lot in lots for storage in storages]


def _is_within(place: Place, around: tuple[str, str]) -> bool:
    return around[0] in (NOWHERE, place.lot) and around[1] in (NOWHERE, place.storage)


def _sum_within(kept: Iterable[Kept], around: tuple[str, str]) -> Decimal:
    return sum((one.left for one in kept if _is_within(one.place, around)), Decimal(0))


def _kept(session: Session, place: Place, now: datetime) -> list[Kept]:
    """What is past its time counts no more, whether or not that was told already."""
    query = select(Reservation).where(
        Reservation.plant == place.plant,
        Reservation.item == place.item,
        IS_OPEN,
        or_(Reservation.expires_at.is_(None), Reservation.expires_at > now),
    )
    rows = session.scalars(query.order_by(Reservation.id).limit(PROMISES_MOST + 1)).all()
    return [kept_of(row) for row in _bounded(rows, place) if row.uom == place.uom]


def _leaving(session: Session, place: Place) -> list[StockUse]:
    query = select(Withdrawal).where(Withdrawal.plant == place.plant, Withdrawal.item == place.item)
    query = query.order_by(Withdrawal.message_id, Withdrawal.line).limit(PROMISES_MOST + 1)
    return [use_of(row) for row in _bounded(session.scalars(query).all(), place) if row.uom == place.uom]


def use_of(row: Withdrawal) -> StockUse:
    place = Place(row.plant, row.item, row.uom, row.storage, row.lot)
    whom = (row.order_id, row.delivery_id, row.reservation)
    return StockUse(row.message_id, 0, row.line, place, row.quantity, row.at, *whom)


def _bounded(rows: Sequence[Any], place: Place) -> Sequence[Any]:
    if len(rows) > PROMISES_MOST:
        told = f"Of {place.item} in {place.plant} more than {PROMISES_MOST:,} reservations or withdrawals are open"
        raise CallRefused("not_now", "too_many_promises", f"{told}; end some, then try again.")
    return rows


def _needs(session: Session, place: Place, orders: Sequence[str]) -> dict[str, Decimal]:
    needs: dict[str, Decimal] = {}
    for start in range(0, len(orders), 500):
        query = select(OrderNeed.order_id, OrderNeed.quantity).where(
            OrderNeed.plant == place.plant,
            OrderNeed.item == place.item,
            OrderNeed.uom == place.uom,
            OrderNeed.order_id.in_(orders[start : start + 500]),
        )
        needs |= {row.order_id: row.quantity for row in session.execute(query)}
    return needs


def _stock_within(session: Session, place: Place, around: tuple[str, str]) -> Decimal:
    lot, storage = around
    query = select(Stock.quantity).where(
        Stock.plant == place.plant, Stock.item == place.item, Stock.uom == place.uom, Stock.status == UNRESTRICTED
    )
    if lot != NOWHERE:
        query = query.where(Stock.lot == lot)
    if storage != NOWHERE:
        query = query.where(Stock.storage == storage)
    return sum(session.scalars(query), Decimal(0))
