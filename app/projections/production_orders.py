"""Production orders as their releases tell them. What became of them is entered with their reports."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.key_sets import among
from app.store.prepared import Prepared
from app.store.reference_tables import ProductionOrder
from mappings.context import Event, ItemFacts
from mappings.units import knows_unit, quantity, to_base

RELEASED = "production.order.released.v1"
COMPLETED = "production.completed.v1"
SCRAPPED = "production.scrapped.v1"


def order_reference(plant: str, order_id: str) -> str:
    """What a message waits for when this order has not been released."""
    return f"order:{plant}:{order_id}"


_ORDER = table_of(ProductionOrder).c
_RELEASED = Prepared(
    select(_ORDER.order_id).where(
        _ORDER.plant == bindparam("of_plant"),
        _ORDER.order_id.in_(bindparam("ids", expanding=True)),
        _ORDER.released_message_id.is_not(None),
    )
)


def released_orders(session: Session, plant: str, order_ids: Collection[str]) -> set[str]:
    """Those of ``order_ids`` whose release has taken effect."""
    if not order_ids:
        return set()
    return set(_RELEASED.scalars(session, of_plant=plant, ids=sorted(order_ids)))


def apply_releases(
    session: Session,
    plant: str,
    events: Sequence[tuple[int, Event]],
    items: Mapping[str, ItemFacts],
    now: datetime,
) -> list[str]:
    """Bring the orders up to the releases among these (message id, event) pairs; returns the references that they
    fulfil. Runs in the transaction that makes the messages ``posted``."""
    releases = [(key, event) for key, event in events if event.type == RELEASED]
    if not releases:
        return []
    orders = _lock(session, plant, {event.data["order_id"] for _, event in releases}, now)
    for message_id, event in releases:
        order = orders[event.data["order_id"]]
        order.updated_at = now
        _release(order, event, message_id, items)
    session.flush()
    return [order_reference(plant, event.data["order_id"]) for _, event in releases]


def undo_releases(session: Session, plant: str, events: Sequence[tuple[int, Event]], now: datetime) -> None:
    """Take the releases among these out of the orders again; where another one has taken its place since, that one
    stands. Runs in the transaction that makes the messages ``compensated``."""
    releases = [(key, event) for key, event in events if event.type == RELEASED]
    if not releases:
        return
    orders = _lock(session, plant, {event.data["order_id"] for _, event in releases}, now)
    for message_id, event in releases:
        order = orders[event.data["order_id"]]
        if order.released_message_id == message_id:
            order.released_message_id, order.planned, order.updated_at = None, Decimal(0), now
    session.flush()


def open_orders(session: Session, orders: Collection[tuple[str, str]], now: datetime) -> None:
    """Rows for these orders (plant, order), where there are none yet."""
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    rows = [_new(plant, order_id, now) for plant, order_id in sorted(orders)]
    if rows:
        session.connection().execute(insert(ProductionOrder).on_conflict_do_nothing(), rows)


def _lock(session: Session, plant: str, order_ids: Collection[str], now: datetime) -> dict[str, ProductionOrder]:
    """The orders' rows, created where they are missing, locked in one order so that two callers cannot dead-lock."""
    open_orders(session, {(plant, order_id) for order_id in order_ids}, now)
    query = (
        select(ProductionOrder)
        .where(among((ProductionOrder.plant, ProductionOrder.order_id), [(plant, key) for key in sorted(order_ids)]))
        .order_by(ProductionOrder.order_id)
        .with_for_update()
    )
    return {order.order_id: order for order in session.execute(query).scalars()}


def _new(plant: str, order_id: str, now: datetime) -> dict[str, object]:
    return {"plant": plant, "order_id": order_id, "planned": Decimal(0), "updated_at": now}


def _release(order: ProductionOrder, event: Event, message_id: int, items: Mapping[str, ItemFacts]) -> None:
    data = event.data
    order.item = data["item"]
    order.planned = _base_value(data["item"], data["quantity"], items)
    facts = items.get(data["item"])
    order.uom = facts.base_uom if facts else data["quantity"]["uom"]
    order.planned_start_at, order.planned_end_at = _moment(data.get("start")), _moment(data.get("end"))
    order.released_message_id = message_id


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _base_value(item: str, wire: Mapping[str, str], items: Mapping[str, ItemFacts]) -> Decimal:
    amount = quantity(wire)
    # An amount in a unit that the item has no longer must not undo the posting that it belongs to.
    return to_base(amount, items[item]).value if item in items and knows_unit(items[item], amount.uom) else amount.value
