"""What released orders still need of their materials, and what that reserves of each item.

An order needs what the release that stands says it takes, less what was consumed for it; nothing once it has ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, delete, insert, select
from sqlalchemy.orm import Session

from app.projections.item_sums import ItemKey, add_to_sums
from app.projections.order_reports import open_progress
from app.projections.production_orders import RELEASED
from app.projections.upsert import upsert
from app.store.availability_tables import OrderMaterial, OrderNeed
from app.store.key_sets import among
from app.store.order_progress_tables import OrderItem, OrderProgress
from app.store.reference_tables import ProductionOrder
from mappings.context import Event, ItemFacts
from mappings.units import quantity, to_base

CHUNK = 200

Order = tuple[str, str]
"""plant, order_id"""
Need = tuple[str, str, str, str]
"""plant, order_id, item, uom"""


@dataclass(frozen=True)
class Release:
    """What a message says that an order takes, by item and unit."""

    message_id: int
    order: Order
    materials: Mapping[tuple[str, str], Decimal] = field(default_factory=dict)


def releases_of(message_id: int, plant: str, event: Event, items: Mapping[str, ItemFacts]) -> list[Release]:
    """The release that the event tells; none where it tells another thing.

    Raises MappingError where an amount has no exact value in the item's base unit.
    """
    if not releases_order(event):
        return []
    materials: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for line in event.data.get("materials", ()):
        amount = quantity(line["quantity"])
        amount = to_base(amount, items[line["item"]]) if line["item"] in items else amount
        materials[line["item"], amount.uom] += amount.value
    return [Release(message_id, (plant, event.data["order_id"]), materials)]


def releases_order(event: Event) -> bool:
    return event.type == RELEASED


def enter_releases(session: Session, releases: Sequence[Release]) -> None:
    """Enter these, of one message's releases of one order the last; ``settle_needs`` makes needs of them. The caller
    holds the right to change the projections."""
    last = {(release.message_id, release.order): release for release in releases}
    rows: list[dict[str, Any]] = [
        {**dict(zip(_MATERIAL_KEY, (*release.order, release.message_id, *key), strict=True)), "quantity": amount}
        for release in last.values()
        for key, amount in sorted(release.materials.items())
    ]
    upsert(session, OrderMaterial, _MATERIAL_KEY, ("quantity",), rows)
    # Whoever looks for open orders finds them by their progress.
    open_progress(session, {release.order for release in last.values()})
    # An item that an order takes is told even where none of it was ever there.
    add_to_sums(session, "reserved", {(row["plant"], row["item"], row["uom"]): Decimal(0) for row in rows})


def void_releases(session: Session, message_ids: Collection[int]) -> set[Order]:
    """Take the releases of these messages, which were reversed, out; returns their orders."""
    of_them = OrderMaterial.message_id.in_(sorted(message_ids))
    query = select(OrderMaterial.plant, OrderMaterial.order_id).where(of_them).distinct()
    orders = {(row.plant, row.order_id) for row in session.execute(query)}
    session.execute(delete(OrderMaterial).where(of_them), execution_options={"synchronize_session": False})
    return orders


def settle_needs(session: Session, orders: Collection[Order]) -> None:
    """Work out anew what these orders need, after releases or reports of theirs were entered or became void."""
    keys = sorted(orders)
    gains: dict[ItemKey, Decimal] = defaultdict(Decimal)
    for start in range(0, len(keys), CHUNK):
        chunk = keys[start : start + CHUNK]
        were, are = _needs_before(session, chunk), _needs_now(session, chunk)
        for sign, needs in ((-1, were), (1, are)):
            for (plant, _, item, uom), amount in needs.items():
                gains[plant, item, uom] += sign * amount
        if were != are:
            _replace(session, chunk, are)
    add_to_sums(session, "reserved", {key: gain for key, gain in gains.items() if gain})


_MATERIAL_KEY = ("plant", "order_id", "message_id", "item", "uom")
_NEED = (OrderNeed.plant, OrderNeed.order_id, OrderNeed.item, OrderNeed.uom)


def _needs_before(session: Session, orders: Sequence[Order]) -> dict[Need, Decimal]:
    query = select(*_NEED, OrderNeed.quantity).where(among(_NEED[:2], orders))
    return {(row[0], row[1], row[2], row[3]): row.quantity for row in session.execute(query)}


def _needs_now(session: Session, orders: Sequence[Order]) -> dict[Need, Decimal]:
    one, made, told = OrderMaterial, OrderItem, OrderProgress
    stands = ProductionOrder.released_message_id == one.message_id
    query: Any = select(one.plant, one.order_id, one.item, one.uom, one.quantity, made.consumed)
    query = query.join(ProductionOrder, and_(_same_order(ProductionOrder), stands))
    query = query.outerjoin(told, _same_order(told))
    query = query.outerjoin(made, and_(_same_order(made), made.item == one.item, made.uom == one.uom))
    query = query.where(among((one.plant, one.order_id), orders), told.ended_at.is_(None))
    needs: dict[Need, Decimal] = {}
    for plant, order_id, item, uom, planned, consumed in session.execute(query):
        if planned > (consumed or 0):
            needs[plant, order_id, item, uom] = planned - (consumed or 0)
    return needs


def _same_order(table: Any) -> Any:
    return and_(table.plant == OrderMaterial.plant, table.order_id == OrderMaterial.order_id)


def _replace(session: Session, orders: Sequence[Order], needs: Mapping[Need, Decimal]) -> None:
    gone = delete(OrderNeed).where(among(_NEED[:2], orders))
    session.execute(gone, execution_options={"synchronize_session": False})
    names = [column.key for column in _NEED]
    rows = [{**dict(zip(names, key, strict=True)), "quantity": amount} for key, amount in sorted(needs.items())]
    if rows:
        session.connection().execute(insert(OrderNeed), rows)


def orders_needing(session: Session, plant: str, item: str, limit: int) -> Sequence[OrderNeed]:
    """The orders that still need this item."""
    query = select(OrderNeed).where(OrderNeed.plant == plant, OrderNeed.item == item)
    return session.scalars(query.order_by(OrderNeed.order_id, OrderNeed.uom).limit(limit)).all()


def orders_of(releases: Iterable[Release]) -> set[Order]:
    return {release.order for release in releases}
