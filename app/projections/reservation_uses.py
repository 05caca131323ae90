"""What issues and shipments take of reservations, entered with their movements.

An issue or shipment uses the reservation that it names (``document_ref`` of type ``reservation``), then those of its
order or delivery: of the same item, and of its lot and storage location where the reservation has one; narrower ones
first, then older ones. Which message came first decides, and not when it is entered: what was accepted before a
reservation was made, or after it was released, uses nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, or_, select, update
from sqlalchemy.orm import Session

from app.projections.movements import Kind, Leg, Place
from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE
from app.store.reservation_tables import Reservation, ReservationUse
from mappings.canonical import contract
from mappings.context import Event

CHUNK = 200
NAMED_BY = "reservation"
"""The type of a ``document_ref`` whose id is a reservation's code."""
_AS_TOLD = {"synchronize_session": False}


class ReservationState(StrEnum):
    OPEN = "open"
    CONSUMED = "consumed"
    RELEASED = "released"
    EXPIRED = "expired"


@dataclass(frozen=True)
class StockUse:
    """One leg that takes stock out, and for whom. ``quantity`` is positive."""

    message_id: int
    event_index: int
    leg: int
    place: Place
    quantity: Decimal
    happened_at: datetime
    order_id: str | None = None
    delivery_id: str | None = None
    reservation: str | None = None

    @property
    def order(self) -> tuple[int, int, int]:
        return self.message_id, self.event_index, self.leg


@dataclass
class Kept:
    """What a reservation still keeps. ``order_id`` or ``delivery_id``: for whom, where it says; ``message_id``: by
    which message, so that what came before it uses nothing of it."""

    id: int
    code: str
    message_id: int
    place: Place
    left: Decimal
    order_id: str | None = None
    delivery_id: str | None = None

    @property
    def claimant(self) -> tuple[str, str]:
        """Who it is for: reservations of one order or delivery count together."""
        if self.order_id is not None:
            return "order", self.order_id
        return ("delivery", self.delivery_id) if self.delivery_id is not None else (NAMED_BY, self.code)

    def is_of(self, use: StockUse) -> bool:
        """Whether the use is by whom this is kept for."""
        if self.code == use.reservation:
            return True
        same_order = self.order_id is not None and self.order_id == use.order_id
        return same_order or (self.delivery_id is not None and self.delivery_id == use.delivery_id)

    def covers(self, place: Place) -> bool:
        same = (self.place.plant, self.place.item, self.place.uom) == (place.plant, place.item, place.uom)
        return same and self.place.lot in (NOWHERE, place.lot) and self.place.storage in (NOWHERE, place.storage)


def uses_of(message_id: int, index: int, event: Event, legs: Sequence[Leg]) -> Iterator[StockUse]:
    """The legs of an issue or a shipment; of any other event none."""
    named = event.data.get("document_ref") or {}
    reservation = named.get("id") if named.get("type") == NAMED_BY else None
    for number, leg in enumerate(legs):
        if leg.kind in (Kind.CONSUMED, Kind.SHIPPED):
            whom = (event.data.get("order_id"), event.data.get("delivery_id"), reservation)
            moment = contract.event_time(event)
            yield StockUse(message_id, index, number, leg.place, -leg.quantity, moment, *whom)


def take(kept: Iterable[Kept], use: StockUse) -> list[tuple[Kept, Decimal]]:
    """How much of each of these the use takes; their ``left`` is less by it."""
    own = [one for one in kept if one.left > 0 and one.message_id < use.message_id]
    own = [one for one in own if one.is_of(use) and one.covers(use.place)]
    own.sort(key=lambda one: (one.code != use.reservation, one.place.lot == "", one.place.storage == "", one.id))
    wanted, taken = use.quantity, []
    for one in own:
        part = min(wanted, one.left)
        if part > 0:
            one.left -= part
            wanted -= part
            taken.append((one, part))
    return taken


def enter_uses(session: Session, uses: Sequence[StockUse], now: datetime) -> None:
    """Enter these. The caller holds the right to change the projections, and has entered none of them before."""
    if not uses or session.execute(select(Reservation.id).order_by(Reservation.id).limit(1)).first() is None:
        return
    rows = _hold(session, _named(session, uses))
    kept = {row.id: kept_of(row) for row in rows.values()}
    by_item: dict[tuple[str, str], list[Kept]] = defaultdict(list)
    for one in kept.values():
        by_item[one.place.plant, one.place.item].append(one)
    values: list[dict[str, Any]] = []
    for use in sorted(uses, key=lambda one: one.order):
        of_item = by_item[use.place.plant, use.place.item]
        standing = [one for one in of_item if _stood(rows[one.id], use.message_id)]
        values += [_values(use, one, amount) for one, amount in take(standing, use)]
    if values:
        session.connection().execute(insert(ReservationUse), values)
        _save(session, rows, {key: rows[key].quantity - one.left for key, one in kept.items()}, now)


def void_uses(session: Session, message_ids: Collection[int]) -> None:
    """What these messages, which were reversed, had taken of reservations is kept again."""
    of_them = ReservationUse.message_id.in_(sorted(message_ids))
    query = select(ReservationUse.reservation_id, ReservationUse.quantity).where(of_them)
    back: dict[int, Decimal] = defaultdict(Decimal)
    for key, quantity in session.execute(query):
        back[key] += quantity
    if back:
        rows = _hold(session, back)
        _save(session, rows, {key: rows[key].used - amount for key, amount in back.items()}, None)
        session.execute(delete(ReservationUse).where(of_them), execution_options=_AS_TOLD)


def forget_uses(session: Session) -> None:
    """Before the projections are built anew: nothing is used yet."""
    used = Reservation.id.in_(select(ReservationUse.reservation_id))
    session.execute(update(Reservation).where(used).values(used=Decimal(0)), execution_options=_AS_TOLD)
    reopened = update(Reservation).where(Reservation.state == ReservationState.CONSUMED.value)
    values = {"state": ReservationState.OPEN.value, "ended_at": None}
    session.execute(reopened.values(values), execution_options=_AS_TOLD)
    session.execute(delete(ReservationUse), execution_options=_AS_TOLD)


def kept_of(row: Any) -> Kept:
    place = Place(row.plant, row.item, row.uom, row.storage, row.lot)
    left = row.quantity - row.used
    return Kept(row.id, row.code, row.message_id, place, left, row.order_id, row.delivery_id)


def _stood(row: Reservation, message_id: int) -> bool:
    """Whether it had not been released, nor expired, when this message was accepted."""
    return row.ended_message_id is None or message_id < row.ended_message_id


def _named(session: Session, uses: Sequence[StockUse]) -> set[int]:
    """The reservations that these may use, by each way of naming one."""
    codes = sorted({use.reservation for use in uses if use.reservation is not None})
    orders = sorted({(use.place.plant, use.order_id) for use in uses if use.order_id is not None})
    deliveries = sorted({(use.place.plant, use.delivery_id) for use in uses if use.delivery_id is not None})
    first = min(use.message_id for use in uses)
    usable = (
        Reservation.state != ReservationState.CONSUMED.value,
        or_(Reservation.ended_message_id.is_(None), Reservation.ended_message_id > first),
    )
    conditions: list[ColumnElement[bool]] = []
    for start in range(0, max(len(codes), len(orders), len(deliveries)), CHUNK):
        part = slice(start, start + CHUNK)
        if codes[part]:
            conditions.append(Reservation.code.in_(codes[part]))
        if orders[part]:
            conditions.append(among((Reservation.plant, Reservation.order_id), orders[part]))
        if deliveries[part]:
            conditions.append(among((Reservation.plant, Reservation.delivery_id), deliveries[part]))
    return {key for one in conditions for key in session.scalars(select(Reservation.id).where(one, *usable))}


def _hold(session: Session, keys: Collection[int]) -> dict[int, Reservation]:
    """These rows, held until the transaction ends; in one order, as everybody holds them."""
    found: dict[int, Reservation] = {}
    ordered = sorted(keys)
    for start in range(0, len(ordered), CHUNK):
        query = select(Reservation).where(Reservation.id.in_(ordered[start : start + CHUNK]))
        query = query.order_by(Reservation.id).with_for_update().execution_options(populate_existing=True)
        found |= {row.id: row for row in session.scalars(query)}
    return found


def _save(session: Session, rows: dict[int, Reservation], used: dict[int, Decimal], now: datetime | None) -> None:
    """``now`` is None where some is given back, and nothing ends by it."""
    for key, amount in used.items():
        row = rows[key]
        row.used = amount
        if row.state == ReservationState.OPEN and amount >= row.quantity:
            row.state, row.ended_at = ReservationState.CONSUMED.value, now
        elif row.state == ReservationState.CONSUMED and amount < row.quantity:
            row.state, row.ended_at = ReservationState.OPEN.value, None
    session.flush()


def _values(use: StockUse, kept: Kept, amount: Decimal) -> dict[str, Any]:
    return {
        "message_id": use.message_id,
        "event_index": use.event_index,
        "leg": use.leg,
        "reservation_id": kept.id,
        "quantity": amount,
        "happened_at": use.happened_at,
    }
