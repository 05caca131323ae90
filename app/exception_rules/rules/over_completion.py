"""An order of which more was made than planned."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import (
    amount,
    items_of_orders,
    messages_of_order,
    newest_report,
    orders_with_progress,
    reports_after,
    worth,
)
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.projections.item_costs import unit_costs
from app.store.reference_tables import ProductionOrder


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    reports, onward = reports_after(session, context, after, limit, context.now)
    return Portion([(order_id,) for order_id in dict.fromkeys(row.order_id for row in reports)], onward)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    orders = [(context.plant, key[0]) for key in keys]
    made = items_of_orders(session, orders)
    allowed = 1 + Decimal(str(context.settings.threshold)) / 100
    over: list[tuple[ProductionOrder, Decimal]] = []
    for order, _ in orders_with_progress(session, orders):
        own = [one for one in made.get((order.plant, order.order_id), ()) if one.item == order.item]
        done = sum((one.produced for one in own if one.uom == order.uom), Decimal(0))
        if order.released_message_id is not None and done > order.planned * allowed:
            over.append((order, done))
    costs = unit_costs(session, {order.item for order, _ in over if order.item})
    found: list[tuple[Key, Cause]] = []
    for order, done in over:
        uom, beyond = order.uom or "", done - order.planned
        cause = Cause(
            rule=RULE.word,
            key=RULE.cause_of(context, (order.order_id,)),
            subject=f"production order {order.order_id}",
            severity=context.settings.severity,
            message=(
                f"Of order {order.order_id} {amount(done, uom)} of {order.item} are reported, "
                f"{amount(beyond, uom)} more than the {amount(order.planned, uom)} that were planned. "
                "Was something reported twice?"
            ),
            plant=context.plant,
            object_type="production_order",
            object_id=order.order_id,
            messages=messages_of_order(session, order),
            value_at_risk=worth(costs, [(order.item or "", beyond, uom)]),
        )
        found.append(((order.order_id,), cause))
    return found


RULE = Rule(
    word="over_completion",
    candidates=_candidates,
    judge=_judge,
    gone="No more is reported than was planned.",
    index="ix_order_reports_entered",
    begin=newest_report,
)
