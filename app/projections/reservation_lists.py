"""Reservations, a page at a time, and what they keep of each item besides what orders need anyway."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.projections.reservation_uses import Kept, kept_of
from app.store.availability_tables import OrderNeed
from app.store.key_sets import among
from app.store.ledger_tables import ItemStock
from app.store.reservation_tables import IS_OPEN, Reservation, ReservationUse

USES_MOST = 200
ItemKey = tuple[str, str, str]
"""plant, item, uom"""


@dataclass(frozen=True)
class ReservationFilter:
    plant: str | None = None
    item: str | None = None
    order_id: str | None = None
    delivery_id: str | None = None
    state: str | None = None
    source: str | None = None


def list_reservations(
    session: Session, chosen: ReservationFilter, limit: int, before: int | None = None
) -> Sequence[Reservation]:
    """What was made last comes first."""
    wanted = (
        (Reservation.plant, chosen.plant),
        (Reservation.item, chosen.item),
        (Reservation.order_id, chosen.order_id),
        (Reservation.delivery_id, chosen.delivery_id),
        (Reservation.state, chosen.state),
        (Reservation.source, chosen.source),
    )
    query = select(Reservation).where(*(column == value for column, value in wanted if value is not None))
    if before is not None:
        query = query.where(Reservation.id < before)
    return session.scalars(query.order_by(Reservation.id.desc()).limit(limit)).all()


def list_uses(session: Session, reservation_id: int) -> Sequence[ReservationUse]:
    """What was used of it, the first accepted first."""
    query = select(ReservationUse).where(ReservationUse.reservation_id == reservation_id)
    return session.scalars(query.order_by(ReservationUse.message_id, ReservationUse.leg).limit(USES_MOST)).all()


def uses_of_all(session: Session, reservation_ids: Sequence[int], most: int) -> dict[int, list[int]]:
    """The first ``most`` messages that used each of these."""
    one = ReservationUse
    rank = func.row_number().over(partition_by=one.reservation_id, order_by=one.message_id).label("rank")
    ranked = select(one.reservation_id, one.message_id, rank).where(one.reservation_id.in_(reservation_ids)).subquery()
    query = select(ranked.c.reservation_id, ranked.c.message_id).where(ranked.c.rank <= most)
    found: dict[int, list[int]] = defaultdict(list)
    for row in session.execute(query.order_by(ranked.c.reservation_id, ranked.c.message_id)):
        if row.message_id not in found[row.reservation_id]:
            found[row.reservation_id].append(row.message_id)
    return found


def kept_besides_needs(session: Session, sums: Sequence[ItemStock]) -> dict[ItemKey, Decimal]:
    """What open reservations keep of these items besides what their orders need; items of which they keep nothing more
    are left out. In one query, and another one where any is for an order."""
    if not sums:
        return {}
    keys = sorted({(one.plant, one.item) for one in sums})
    query = select(Reservation).where(among((Reservation.plant, Reservation.item), keys), IS_OPEN)
    by_item: dict[ItemKey, list[Kept]] = defaultdict(list)
    for row in session.scalars(query):
        by_item[row.plant, row.item, row.uom].append(kept_of(row))
    needs = _needs_of(session, by_item)
    return {key: beyond_needs(kept, needs.get(key, {})) for key, kept in by_item.items()}


def beyond_needs(kept: Sequence[Kept], needs: dict[str, Decimal]) -> Decimal:
    """What these keep besides what their orders need anyway, which counts once."""
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for one in kept:
        sums[one.claimant] += one.left
    needed = {("order", key): need for key, need in needs.items()}
    return sum((max(Decimal(0), amount - needed.get(key, Decimal(0))) for key, amount in sums.items()), Decimal(0))


def _needs_of(session: Session, by_item: dict[ItemKey, list[Kept]]) -> dict[ItemKey, dict[str, Decimal]]:
    orders = sorted({(key[0], one.order_id) for key, kept in by_item.items() for one in kept if one.order_id})
    needs: dict[ItemKey, dict[str, Decimal]] = defaultdict(dict)
    for start in range(0, len(orders), 400):
        of_them = among((OrderNeed.plant, OrderNeed.order_id), orders[start : start + 400])
        for need in session.scalars(select(OrderNeed).where(of_them)):
            needs[need.plant, need.item, need.uom][need.order_id] = need.quantity
    return needs
