"""An order that is reported as ended although nothing of its item came into stock."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import (
    amount,
    items_of_orders,
    local,
    messages_of_order,
    newest_report,
    orders_with_progress,
    reports_after,
    worth,
)
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.projections.item_costs import unit_costs
from app.projections.order_reports import Reported


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    """Its receipt may come after its end: an end is looked at once it is older than the threshold."""
    reports, onward = reports_after(session, context, after, limit, context.now - context.threshold)
    ends = dict.fromkeys(row.order_id for row in reports if row.kind == Reported.ENDED)
    return Portion([(order_id,) for order_id in ends], onward)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    orders = [(context.plant, key[0]) for key in keys]
    made = items_of_orders(session, orders)
    empty = []
    for order, progress in orders_with_progress(session, orders):
        own = [one for one in made.get((order.plant, order.order_id), ()) if order.item in (None, one.item)]
        scrapped = sum((one.scrapped for one in own), Decimal(0))
        # What was scrapped whole has ended, and rightly so.
        is_empty = not any(one.produced > 0 for one in own) and (scrapped == 0 or scrapped < order.planned)
        if progress is not None and progress.ended_at is not None and is_empty:
            empty.append((order, progress.ended_at))
    costs = unit_costs(session, {order.item for order, _ in empty if order.item})
    return [
        (
            (order.order_id,),
            Cause(
                rule=RULE.word,
                key=RULE.cause_of(context, (order.order_id,)),
                subject=f"production order {order.order_id}",
                severity=context.settings.severity,
                message=(
                    f"Order {order.order_id} ended at {local(context, ended_at)}, and nothing of "
                    f"{order.item or 'its item'} was received ({amount(order.planned, order.uom or '')} planned). "
                    "Is its completion dead, was it never sent, or was the order closed by mistake?"
                ),
                plant=context.plant,
                object_type="production_order",
                object_id=order.order_id,
                messages=messages_of_order(session, order),
                value_at_risk=worth(costs, [(order.item or "", order.planned, order.uom or "")]),
            ),
        )
        for order, ended_at in empty
    ]


RULE = Rule(
    word="order_closed_without_receipt",
    candidates=_candidates,
    judge=_judge,
    gone="Its receipt came, or its end was taken back.",
    index="ix_order_reports_entered",
    begin=newest_report,
)
