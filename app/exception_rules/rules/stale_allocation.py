"""Material that is reserved and that nothing consumes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import amount, instant, local, open_orders_after, orders_with_progress, worth
from app.exception_rules.rule import Context, Key, Rule
from app.projections.item_costs import unit_costs
from app.projections.order_reports import Reported
from app.store.availability_tables import OrderNeed
from app.store.key_sets import among
from app.store.messages_tables import Message
from app.store.order_progress_tables import OrderReport

LINES_TOLD = 5


@dataclass(frozen=True)
class Allocation:
    """So much of an item that an order holds since ``since``: when it was released or was to begin, or consumed some of
    it last, whichever is the latest."""

    order_id: str
    item: str
    uom: str
    quantity: Decimal
    since: datetime
    message_id: int | None


Allocations = Callable[[Session, Context, Sequence[str]], Iterator[Allocation]]


def _of_releases(session: Session, context: Context, order_ids: Sequence[str]) -> Iterator[Allocation]:
    """What releases reserve (``order_needs``)."""
    keys = [(context.plant, order_id) for order_id in order_ids]
    orders = {order.order_id: order for order, _ in orders_with_progress(session, keys)}
    released = _accepted(session, [order.released_message_id for order in orders.values()])
    consumed = _consumed(session, keys)
    needs = session.scalars(select(OrderNeed).where(among((OrderNeed.plant, OrderNeed.order_id), keys)))
    for need in needs if keys else ():
        order = orders.get(need.order_id)
        moments = [consumed.get((need.order_id, need.item))]
        if order is not None:
            moments += [order.planned_start_at, released.get(order.released_message_id or 0)]
        since = max((moment for moment in moments if moment is not None), default=None)
        if since is not None:
            message = order.released_message_id if order is not None else None
            yield Allocation(need.order_id, need.item, need.uom, need.quantity, since, message)


SOURCES: tuple[Allocations, ...] = (_of_releases,)
"""Whatever else comes to reserve material for an order adds its own."""


def _accepted(session: Session, ids: Sequence[int | None]) -> dict[int, datetime]:
    wanted = [key for key in ids if key is not None]
    query = select(Message.id, Message.received_at).where(Message.id.in_(wanted))
    return {row.id: row.received_at for row in session.execute(query)} if wanted else {}


def _consumed(session: Session, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str | None], datetime]:
    """When something of an item was consumed last for an order."""
    of_them = among((OrderReport.plant, OrderReport.order_id), keys)
    query = select(OrderReport.order_id, OrderReport.item, func.max(OrderReport.happened_at))
    query = query.where(of_them, OrderReport.kind == Reported.CONSUMED.value, OrderReport.void_at.is_(None))
    rows = session.execute(query.group_by(OrderReport.order_id, OrderReport.item)) if keys else ()
    return {(row[0], row[1]): row[2] for row in rows}


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    stale: dict[str, list[Allocation]] = defaultdict(list)
    for source in SOURCES:
        for one in source(session, context, [key[0] for key in keys]):
            if context.now - one.since > context.threshold:
                stale[one.order_id].append(one)
    costs = unit_costs(session, {one.item for lines in stale.values() for one in lines})
    found: list[tuple[Key, Cause]] = []
    for order_id, lines in sorted(stale.items()):
        told = ", ".join(f"{amount(one.quantity, one.uom)} of {one.item}" for one in lines[:LINES_TOLD])
        more = f" and {len(lines) - LINES_TOLD} more items" if len(lines) > LINES_TOLD else ""
        since = max(one.since for one in lines)
        cause = Cause(
            rule=RULE.word,
            key=RULE.cause_of(context, (order_id,)),
            subject=f"production order {order_id}",
            severity=context.settings.severity,
            message=(
                f"Order {order_id} reserves {told}{more}, and consumed nothing of it since {local(context, since)}. "
                "Does it still need them, or was it never ended?"
            ),
            plant=context.plant,
            object_type="production_order",
            object_id=order_id,
            messages=[one.message_id for one in lines if one.message_id is not None],
            value_at_risk=worth(costs, [(one.item, one.quantity, one.uom) for one in lines]),
            detail={"since": instant(since)},
        )
        found.append(((order_id,), cause))
    return found


RULE = Rule(
    word="stale_allocation",
    candidates=open_orders_after,
    judge=_judge,
    gone="It was consumed, or is reserved no more.",
    index="ix_order_progress_open",
)
