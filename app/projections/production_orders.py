"""Production orders as the events tell them: planned, completed, scrapped, state."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.reference_tables import ProductionOrder
from mappings.context import Event, ItemFacts
from mappings.units import knows_unit, quantity, to_base

RELEASED = "production.order.released.v1"
COMPLETED = "production.completed.v1"
SCRAPPED = "production.scrapped.v1"


def order_reference(plant: str, order_id: str) -> str:
    """What a message waits for when this order has not been released."""
    return f"order:{plant}:{order_id}"


def released_orders(session: Session, plant: str, order_ids: Collection[str]) -> set[str]:
    """Those of ``order_ids`` whose release has taken effect."""
    query = select(ProductionOrder.order_id).where(
        ProductionOrder.plant == plant,
        ProductionOrder.order_id.in_(sorted(order_ids)),
        ProductionOrder.released_message_id.is_not(None),
    )
    return set(session.execute(query).scalars()) if order_ids else set()


def apply_events(
    session: Session,
    plant: str,
    events: Sequence[tuple[int, Event]],
    items: Mapping[str, ItemFacts],
    now: datetime,
) -> list[str]:
    """Bring the orders up to these (message id, event) pairs; returns the references that the releases fulfil.

    Runs in the transaction that makes the messages ``posted``, so each event counts exactly once.
    """
    relevant = [(key, event) for key, event in events if event.type in (RELEASED, COMPLETED, SCRAPPED)]
    if not relevant:
        return []
    orders = _lock(session, plant, {event.data["order_id"] for _, event in relevant}, now)
    fulfilled = []
    for message_id, event in relevant:
        order = orders[event.data["order_id"]]
        order.updated_at = now
        if event.type == RELEASED:
            _release(order, event, message_id, items)
            fulfilled.append(order_reference(plant, order.order_id))
        elif event.type == COMPLETED:
            _complete(order, event, items)
        else:
            order.scrapped += _base_value(event.data["item"], event.data["quantity"], items)
    session.flush()
    return fulfilled


def undo_events(
    session: Session,
    plant: str,
    events: Sequence[tuple[int, Event]],
    items: Mapping[str, ItemFacts],
    now: datetime,
) -> None:
    """Take these (message id, event) pairs out of the orders again, the last first.

    Runs in the transaction that makes the messages ``compensated``, so each event is taken out exactly once.
    """
    relevant = [(key, event) for key, event in events if event.type in (RELEASED, COMPLETED, SCRAPPED)]
    if not relevant:
        return
    orders = _lock(session, plant, {event.data["order_id"] for _, event in relevant}, now)
    for message_id, event in reversed(relevant):
        order = orders[event.data["order_id"]]
        order.updated_at = now
        if event.type == RELEASED:
            _withdraw(order, message_id)
        elif event.type == COMPLETED:
            order.completed -= _made(order, event, items)
            _reopen(order, event)
        else:
            order.scrapped -= _base_value(event.data["item"], event.data["quantity"], items)
    session.flush()


def _lock(session: Session, plant: str, order_ids: Collection[str], now: datetime) -> dict[str, ProductionOrder]:
    """The orders' rows, created where they are missing, locked in one order so that two callers cannot dead-lock."""
    insert = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "plant": plant,
            "order_id": order_id,
            "planned": Decimal(0),
            "completed": Decimal(0),
            "scrapped": Decimal(0),
            "state": "unreleased",
            "updated_at": now,
        }
        for order_id in sorted(order_ids)
    ]
    session.execute(insert(ProductionOrder).on_conflict_do_nothing(), rows)
    query = (
        select(ProductionOrder)
        .where(tuple_(ProductionOrder.plant, ProductionOrder.order_id).in_([(plant, key) for key in sorted(order_ids)]))
        .order_by(ProductionOrder.order_id)
        .with_for_update()
    )
    return {order.order_id: order for order in session.execute(query).scalars()}


def _release(order: ProductionOrder, event: Event, message_id: int, items: Mapping[str, ItemFacts]) -> None:
    order.item = event.data["item"]
    order.planned = _base_value(event.data["item"], event.data["quantity"], items)
    facts = items.get(event.data["item"])
    order.uom = facts.base_uom if facts else event.data["quantity"]["uom"]
    order.released_message_id = message_id
    if order.state == "unreleased":
        order.state = "released"


def _withdraw(order: ProductionOrder, message_id: int) -> None:
    """Unless another release has taken its place since."""
    if order.released_message_id != message_id:
        return
    order.released_message_id, order.planned = None, Decimal(0)
    if order.state == "released":
        order.state = "unreleased"


def _complete(order: ProductionOrder, event: Event, items: Mapping[str, ItemFacts]) -> None:
    order.completed += _made(order, event, items)
    if event.data.get("final"):
        order.state = "completed"
    elif order.state == "released":
        order.state = "started"


def _reopen(order: ProductionOrder, event: Event) -> None:
    """Only what this completion brought about: an order that another one ended stays ended."""
    if order.state == "completed" and not event.data.get("final"):
        return
    if order.completed:
        order.state = "started"
    else:
        order.state = "released" if order.released_message_id is not None else "unreleased"


def _made(order: ProductionOrder, event: Event, items: Mapping[str, ItemFacts]) -> Decimal:
    made = [output for output in event.data["outputs"] if order.item is None or output["item"] == order.item]
    return sum((_base_value(output["item"], output["quantity"], items) for output in made), Decimal(0))


def _base_value(item: str, wire: Mapping[str, str], items: Mapping[str, ItemFacts]) -> Decimal:
    amount = quantity(wire)
    # An amount in a unit that the item has no longer must not undo the posting that it belongs to.
    return to_base(amount, items[item]).value if item in items and knows_unit(items[item], amount.uom) else amount.value
