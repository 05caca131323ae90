"""An item of which released orders need more than there is, before it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import select, text, tuple_
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, ValueAtRisk
from app.exception_rules.facts import amount, local, orders_with_progress, worth
from app.exception_rules.rule import Context, Key, Place, Portion, Rule, index_walk
from app.projections.item_costs import unit_costs
from app.store.availability_tables import OrderNeed
from app.store.key_sets import among
from app.store.ledger_tables import WANTED, ItemStock

NEEDS_MOST = 2_000
"""Needs of one item that are looked at. Of one that more orders need, less is told as missing than is."""
CHUNK = 200
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Need:
    order_id: str
    quantity: Decimal
    begins_at: datetime | None
    message_id: int | None


@dataclass(frozen=True)
class _Shortage:
    missing: Decimal
    first_order: str | None
    first_at: datetime | None
    messages: Sequence[int]


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    query = select(ItemStock.item, ItemStock.uom).where(ItemStock.plant == context.plant, text(f"({WANTED.text})"))
    if after is not None:
        query = query.where(tuple_(ItemStock.item, ItemStock.uom) > tuple(after))
    rows = session.execute(query.order_by(ItemStock.item, ItemStock.uom).limit(limit))
    return index_walk([(row.item, row.uom) for row in rows], limit)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    wanted = among((ItemStock.plant, ItemStock.item, ItemStock.uom), [(context.plant, *key) for key in keys])
    stocks = session.scalars(select(ItemStock).where(wanted)).all() if keys else []
    short = [stock for stock in stocks if stock.unrestricted - stock.reserved < 0]
    costs = unit_costs(session, {stock.item for stock in short})
    found: list[tuple[Key, Cause]] = []
    for stock in short:
        shortage = _shortage(session, context, stock)
        if shortage is not None:
            at_risk = worth(costs, [(stock.item, shortage.missing, stock.uom)])
            found.append(((stock.item, stock.uom), _cause(context, stock, shortage, at_risk)))
    return found


def _shortage(session: Session, context: Context, stock: ItemStock) -> _Shortage | None:
    """What is missing of what orders take that begin before the horizon; one without a plan may begin at once."""
    left, first, messages = stock.unrestricted, None, []
    for need in _needs(session, stock):
        if need.begins_at is not None and need.begins_at - context.now >= context.threshold:
            break
        left -= need.quantity
        if need.message_id is not None:
            messages.append(need.message_id)
        if left < 0 and first is None:
            first = need
    if left >= 0:
        return None
    return _Shortage(-left, first.order_id if first else None, first.begins_at if first else None, messages)


def _needs(session: Session, stock: ItemStock) -> list[_Need]:
    """By when their orders begin. Asked for in one joined statement, PostgreSQL may read all orders there are."""
    query = select(OrderNeed.order_id, OrderNeed.quantity).where(
        OrderNeed.plant == stock.plant, OrderNeed.item == stock.item, OrderNeed.uom == stock.uom
    )
    needs = session.execute(query.order_by(OrderNeed.order_id).limit(NEEDS_MOST)).all()
    plans: dict[str, tuple[datetime | None, int | None]] = {}
    for start in range(0, len(needs), CHUNK):
        keys = [(stock.plant, need.order_id) for need in needs[start : start + CHUNK]]
        for order, _ in orders_with_progress(session, keys):
            begins_at = order.planned_start_at or order.planned_end_at
            plans[order.order_id] = (begins_at, order.released_message_id)
    found = [_Need(need.order_id, need.quantity, *plans.get(need.order_id, (None, None))) for need in needs]
    return sorted(found, key=lambda need: (need.begins_at or LONG_AGO, need.order_id))


def _cause(context: Context, stock: ItemStock, shortage: _Shortage, at_risk: ValueAtRisk | None) -> Cause:
    there, missing = amount(stock.unrestricted, stock.uom), amount(shortage.missing, stock.uom)
    begins = f" (it begins at {local(context, shortage.first_at)})" if shortage.first_at else ""
    if shortage.first_order is None:
        told = f"{there} of {stock.item} are unrestricted: more was taken than is known to have come."
    else:
        told = (
            f"{there} of {stock.item} are unrestricted, and orders that begin within {context.settings.threshold:g} "
            f"hours take {missing} more than that. It does not suffice from order {shortage.first_order} on{begins}."
        )
    return Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, (stock.item, stock.uom)),
        subject=f"item {stock.item}",
        severity=context.settings.severity,
        message=told + " Is a receipt or a count missing, or is it to be replenished?",
        plant=context.plant,
        object_type="item",
        object_id=stock.item,
        messages=shortage.messages,
        value_at_risk=at_risk,
    )


RULE = Rule(
    word="negative_inventory_risk",
    candidates=_candidates,
    judge=_judge,
    gone="What is there suffices for what orders take.",
    index="ix_item_stock_wanted",
)
