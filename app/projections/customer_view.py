"""What a customer may see: the deliveries that were shipped to it, with their goods and milestones.

A delivery is a customer's by its ``ship_to``. What happened before it left is known by the lots of its goods.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from app.store.key_sets import among
from app.store.ledger_tables import NOWHERE
from app.store.logistics_tables import Shipment, ShipmentLine
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderProgress, TransformationLot
from app.store.reference_tables import ProductionOrder

LINES_MOST = 2_000
"""Of one page's deliveries; those beyond are left out, and the answer says so."""
LOTS_A_QUERY = 200
OUT = "out"

Lot = tuple[str, str]
"""item, lot"""


@dataclass(frozen=True)
class Made:
    """When the order was released of which a lot came, and when it was last reported of; None where nobody said."""

    released_at: datetime | None
    produced_at: datetime | None


def list_shipments(
    session: Session, customer: str, limit: int, before: int | None, delivery: str | None = None
) -> Sequence[Shipment]:
    """The last entered first; reversed ones are none."""
    query = select(Shipment).where(Shipment.ship_to == customer, Shipment.void_at.is_(None))
    if delivery is not None:
        query = query.where(Shipment.delivery_id == delivery)
    if before is not None:
        query = query.where(Shipment.id < before)
    return session.scalars(query.order_by(Shipment.id.desc()).limit(limit)).all()


def lines_of(session: Session, shipment_ids: Collection[int]) -> Sequence[ShipmentLine]:
    query = select(ShipmentLine).where(ShipmentLine.shipment_id.in_(sorted(shipment_ids)))
    return session.scalars(query.order_by(ShipmentLine.shipment_id, ShipmentLine.number).limit(LINES_MOST + 1)).all()


def made_of(session: Session, lots: Collection[Lot]) -> dict[Lot, Made]:
    """How these lots were made. One that several orders made was released with the first, and produced with the last;
    one of which nobody said how it was made is absent."""
    orders: dict[tuple[str, str], set[Lot]] = {}
    wanted = sorted(lot for lot in lots if lot[1] != NOWHERE)
    for start in range(0, len(wanted), LOTS_A_QUERY):
        chosen = among(
            (TransformationLot.lot, TransformationLot.item),
            [(lot, item) for item, lot in wanted[start : start + LOTS_A_QUERY]],
        )
        query = select(TransformationLot).where(chosen, TransformationLot.direction == OUT)
        for row in session.scalars(query):
            if row.quantity and row.order_id:
                orders.setdefault((row.plant, row.order_id), set()).add((row.item, row.lot))
    found: dict[Lot, list[Made]] = {}
    for order, made in _orders(session, sorted(orders)).items():
        for lot in orders[order]:
            found.setdefault(lot, []).append(made)
    return {lot: Made(_edge(min, made, "released_at"), _edge(max, made, "produced_at")) for lot, made in found.items()}


def _orders(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Made]:
    found: dict[tuple[str, str], Made] = {}
    key = and_(OrderProgress.plant == ProductionOrder.plant, OrderProgress.order_id == ProductionOrder.order_id)
    columns: Any = (ProductionOrder.plant, ProductionOrder.order_id, Message.received_at, OrderProgress.reported_at)
    for start in range(0, len(keys), LOTS_A_QUERY):
        chosen = among((ProductionOrder.plant, ProductionOrder.order_id), keys[start : start + LOTS_A_QUERY])
        query = select(*columns).where(chosen).outerjoin(OrderProgress, key)
        query = query.outerjoin(Message, Message.id == ProductionOrder.released_message_id)
        for plant, order_id, released_at, reported_at in session.execute(query):
            found[plant, order_id] = Made(released_at, reported_at)
    return found


def _edge(choose: Any, made: Sequence[Made], name: str) -> datetime | None:
    known = [value for one in made if (value := getattr(one, name)) is not None]
    return choose(known) if known else None
