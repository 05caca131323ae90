"""An order that was to end and is not reported as ended."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, ValueAtRisk
from app.exception_rules.facts import (
    amount,
    items_of_orders,
    local,
    messages_of_order,
    open_orders_after,
    orders_with_progress,
    worth,
)
from app.exception_rules.rule import Context, Key, Rule
from app.projections.item_costs import unit_costs
from app.store.reference_tables import ProductionOrder


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    orders = [(context.plant, key[0]) for key in keys]
    late = [
        order
        for order, progress in orders_with_progress(session, orders)
        if order.released_message_id is not None and (progress is None or progress.ended_at is None)
        if order.planned_end_at is not None and context.now - order.planned_end_at > context.threshold
    ]
    made = items_of_orders(session, [(order.plant, order.order_id) for order in late])
    costs = unit_costs(session, {order.item for order in late if order.item})
    found: list[tuple[Key, Cause]] = []
    for order in late:
        own = [one for one in made.get((order.plant, order.order_id), ()) if one.item == order.item]
        done = sum((one.produced for one in own), order.planned * 0)
        left = max(order.planned - done, order.planned * 0)
        at_risk = worth(costs, [(order.item or "", left, order.uom or "")])
        found.append(((order.order_id,), _cause(session, context, order, amount(done, order.uom or ""), at_risk)))
    return found


def _cause(session: Session, context: Context, order: ProductionOrder, done: str, at_risk: ValueAtRisk | None) -> Cause:
    assert order.planned_end_at is not None
    return Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, (order.order_id,)),
        subject=f"production order {order.order_id}",
        severity=context.settings.severity,
        message=(
            f"Order {order.order_id} ({amount(order.planned, order.uom or '')} of {order.item}) was to end at "
            f"{local(context, order.planned_end_at)}. {done} are reported, and no end. Was its confirmation forgotten, "
            "or is the order late?"
        ),
        plant=context.plant,
        object_type="production_order",
        object_id=order.order_id,
        messages=messages_of_order(session, order),
        value_at_risk=at_risk,
    )


RULE = Rule(
    word="delayed_confirmation",
    candidates=open_orders_after,
    judge=_judge,
    gone="The order is reported as ended, or is planned to end later.",
    index="ix_order_progress_open",
)
