"""What several rules tell of the same things: messages behind an order, and what a quantity is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import takewhile
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, literal, select, tuple_
from sqlalchemy.orm import Session

from app.business_exceptions.raising import ValueAtRisk
from app.exception_rules.rule import Context, Place, Portion
from app.projections.item_costs import UnitCost
from app.store.by_state import HIGHEST_ID
from app.store.key_sets import among
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport
from app.store.reference_tables import ProductionOrder
from mappings.units import plain

MESSAGES_LOOKED_AT = 200
"""Reports of an order whose messages are named, or counted as more."""
CENT = Decimal("0.01")


def worth(costs: Mapping[str, UnitCost], lines: Sequence[tuple[str, Decimal, str]]) -> ValueAtRisk | None:
    """What these (item, quantity, unit) cost together, to the cent; None where the cost of one is not known, its unit
    is not the base unit, or they are of several currencies: half a sum would be a guess."""
    known = [(costs.get(item), quantity, uom) for item, quantity, uom in lines]
    priced = [(cost, quantity) for cost, quantity, uom in known if cost is not None and cost.uom == uom]
    currencies = {cost.currency for cost, _ in priced}
    if len(priced) < len(known) or len(currencies) != 1:
        return None
    total = sum((cost.amount * quantity for cost, quantity in priced), Decimal(0))
    return ValueAtRisk(total.quantize(CENT), currencies.pop())


def messages_of_order(session: Session, order: ProductionOrder) -> list[int]:
    """Its reports' messages, the latest first, and that of its release."""
    query = select(OrderReport.message_id).where(
        OrderReport.plant == order.plant, OrderReport.order_id == order.order_id, OrderReport.void_at.is_(None)
    )
    reports = session.scalars(query.order_by(OrderReport.id.desc()).limit(MESSAGES_LOOKED_AT))
    released = [] if order.released_message_id is None else [order.released_message_id]
    return [*dict.fromkeys(reports), *released]


Order = tuple[str, str]


def orders_with_progress(
    session: Session, keys: Sequence[Order]
) -> Iterator[tuple[ProductionOrder, OrderProgress | None]]:
    progress = (OrderProgress.plant == ProductionOrder.plant) & (OrderProgress.order_id == ProductionOrder.order_id)
    query = select(ProductionOrder, OrderProgress).outerjoin(OrderProgress, progress)
    query = query.where(among((ProductionOrder.plant, ProductionOrder.order_id), keys))
    for row in session.execute(query) if keys else ():
        yield row[0], row[1]


def items_of_orders(session: Session, keys: Sequence[Order]) -> dict[Order, list[OrderItem]]:
    found: dict[Order, list[OrderItem]] = {}
    query = select(OrderItem).where(among((OrderItem.plant, OrderItem.order_id), keys))
    for row in session.scalars(query) if keys else ():
        found.setdefault((row.plant, row.order_id), []).append(row)
    return found


def open_orders_after(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    """Orders that were released or reported of and have not ended."""
    query = select(OrderProgress.order_id).where(OrderProgress.plant == context.plant, OrderProgress.ended_at.is_(None))
    if after is not None:
        query = query.where(OrderProgress.order_id > after[0])
    ids = session.scalars(query.order_by(OrderProgress.order_id).limit(limit)).all()
    return Portion([(order_id,) for order_id in ids], (ids[-1],) if len(ids) >= limit else None)


_ENTERED = (OrderReport.plant, OrderReport.id)


def _reports_of(plant: str, after_id: int) -> ColumnElement[bool]:
    """As one range of ``ix_order_reports_entered``: written as an equality and a limit, PostgreSQL walks the primary
    key through what all other plants reported."""
    place = tuple_(*_ENTERED)
    first, last = (tuple_(literal(plant), literal(key)) for key in (after_id, HIGHEST_ID))
    return (place > first) & (place < last)


def newest_report(session: Session, context: Context) -> Place | None:
    """Where a walk along the reports begins that is not to go through all that was reported before."""
    query = select(OrderReport.id).where(_reports_of(context.plant, 0))
    newest = session.scalar(query.order_by(*(column.desc() for column in _ENTERED)).limit(1))
    return (newest or 0,)


def reports_after(
    session: Session, context: Context, after: Place | None, limit: int, entered_before: datetime
) -> tuple[Sequence[OrderReport], Place]:
    """Reports in the order in which they were entered, and where to go on. Where the projections were built anew, and
    their numbers begin again, the walk does as well."""
    begin = int(after[0]) if after else 0
    newest = newest_report(session, context)
    if newest is not None and int(newest[0]) < begin:
        begin = 0
    query = select(OrderReport).where(_reports_of(context.plant, begin)).order_by(*_ENTERED)
    rows = session.scalars(query.limit(limit)).all()
    # In their order: what is not ripe yet is come to again, with all that was entered after it.
    ripe = list(takewhile(lambda row: row.entered_at <= entered_before, rows))
    return ripe, (ripe[-1].id if ripe else begin,)


def amount(value: Decimal, uom: str) -> str:
    return f"{plain(value)} {uom}"


def local(context: Context, moment: datetime) -> str:
    """An instant by the plant's clock."""
    return moment.astimezone(ZoneInfo(context.topology.plants[context.plant].timezone)).strftime("%Y-%m-%d %H:%M %Z")


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
