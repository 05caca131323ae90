"""What can be answered at once of a process call, from what took effect until now.

Each check reads one state of the database and raises CallRefused; what is let through all the same is returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.processes.refusal import CallRefused
from app.projections.order_lists import OrderFilter, OrderPicture, list_orders
from app.projections.production_orders import RELEASED
from app.store.ledger_tables import Stock
from config.topology import Source, Topology
from mappings.canonical import contract
from mappings.context import Event, ItemFacts, MappingError
from mappings.units import knows_unit, plain, quantity, to_base


@dataclass(frozen=True)
class Call:
    """What is checked: one event of a plant. ``override``: why a person lets it through in spite of a hold."""

    plant: str
    event: Event
    source: Source
    topology: Topology
    override: str | None = None


def check_items(call: Call, items: Mapping[str, ItemFacts]) -> None:
    """Every item is known, has the unit of its amount, and the amount is exact in its base unit."""
    if "items" not in call.topology.systems_of_record:
        return
    for amount in contract.quantities(call.event):
        place = amount.place
        if amount.item not in items:
            path = place.rpartition("quantity")[0] + "item"
            raise CallRefused("wrong", "item_unknown", f"No system has described item {amount.item} yet.", path)
        item = items[amount.item]
        if not knows_unit(item, amount.quantity.uom):
            known = ", ".join(sorted({item.base_uom, *item.units}))
            told = f"Item {item.code} has no unit {amount.quantity.uom!r}; it has: {known}."
            raise CallRefused("wrong", "unit_unknown", told, f"{place}.uom")
        try:
            to_base(amount.quantity, item)
        except MappingError as error:
            raise CallRefused("wrong", error.code, f"{error.reason}.", f"{place}.value") from None


def check_release(session: Session, call: Call) -> None:
    """An order that has ended is released no more; one that was released may be released anew with other figures."""
    order = _order(session, call.plant, call.event.data["order_id"])
    if order is not None:
        _refuse_ended(order)


def check_order(session: Session, call: Call) -> OrderPicture | None:
    """The order is released and has not ended; None where it is not asked for, or the source needs no release."""
    order_id = call.event.data.get("order_id")
    if order_id is None:
        return None
    order = _order(session, call.plant, order_id)
    if order is not None:
        _refuse_ended(order)
    needs_release = call.source.options.get("needs_released_order", True)
    if needs_release and (order is None or order.order.released_message_id is None):
        told = f"Order {order_id} is not released in {call.plant}, as far as it is known here."
        raise CallRefused("not_now", "order_not_released", told, "order_id")
    return order


def check_completion(session: Session, call: Call, items: Mapping[str, ItemFacts]) -> None:
    """The order reports no more of its item than was planned, and the plant's tolerance."""
    order = check_order(session, call)
    if order is None or order.order.item is None or order.order.released_message_id is None:
        return
    item, planned = order.order.item, order.order.planned
    added = sum((_base(line, items) for line in call.event.data.get("outputs", ()) if line["item"] == item), Decimal(0))
    percent = Decimal(str(call.topology.plants[call.plant].processes.over_completion_percent))
    most = planned * (100 + percent) / 100
    if added and order.completed + added > most:
        told = (
            f"Order {order.order.order_id} plans {plain(planned)} {order.order.uom}, {plain(order.completed)} are "
            f"reported; {plain(added)} more are beyond the {plain(most)} that {call.plant} allows."
        )
        amounts = {"planned": planned, "completed": order.completed, "allowed": most}
        more = {name: plain(amount) for name, amount in amounts.items()} | {"uom": order.order.uom}
        raise CallRefused("not_now", "over_completion", told, "outputs", more)


def _base(line: Mapping[str, Any], items: Mapping[str, ItemFacts]) -> Decimal:
    amount = quantity(line["quantity"])
    return to_base(amount, items[line["item"]]).value if line["item"] in items else amount.value


def lot_is_known(session: Session, plant: str, item: str, lot: str) -> bool:
    """Whether the plant has, or had, stock of this lot."""
    query = select(Stock.id).where(Stock.plant == plant, Stock.item == item, Stock.lot == lot)
    return session.execute(query.limit(1)).first() is not None


def _order(session: Session, plant: str, order_id: str) -> OrderPicture | None:
    return next(iter(list_orders(session, OrderFilter(plant=plant, order_id=order_id), 1)), None)


def _refuse_ended(order: OrderPicture) -> None:
    if order.progress is not None and order.progress.ended_at is not None:
        ended = order.progress.ended_at.isoformat(timespec="seconds").replace("+00:00", "Z")
        told = f"Order {order.order.order_id} has ended: its final report is of {ended}."
        raise CallRefused("not_now", "order_ended", told, "order_id", {"ended_at": ended})


CHECKS: Mapping[str, Callable[[Session, Call, Mapping[str, ItemFacts]], object]] = {
    RELEASED: lambda session, call, items: check_release(session, call),
    "production.completed.v1": check_completion,
    "material.issued.v1": lambda session, call, items: check_order(session, call),
    "inventory.reserved.v1": lambda session, call, items: check_order(session, call),
}
"""What is checked of the order, by the event that a call makes."""
