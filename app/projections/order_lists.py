"""Production orders, a page at a time: what was planned, what the reports come to, and the reports themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, select, tuple_
from sqlalchemy.orm import Session

from app.store.key_sets import among
from app.store.order_progress_tables import OrderItem, OrderProgress, OrderReport
from app.store.reference_tables import ProductionOrder

ORDER_KEY = (ProductionOrder.plant, ProductionOrder.order_id)
OPEN_KEY = (OrderProgress.plant, OrderProgress.order_id)
ITEMS_MOST = 1_000


class Status(StrEnum):
    UNRELEASED = "unreleased"
    RELEASED = "released"
    STARTED = "started"
    COMPLETED = "completed"


@dataclass(frozen=True)
class OrderFilter:
    plant: str | None = None
    order_id: str | None = None
    item: str | None = None
    status: Status | None = None
    late_at: datetime | None = None
    """Those that are late at this instant."""


@dataclass(frozen=True)
class OrderPicture:
    """An order, and what its reports come to by item. ``progress`` is None where nothing was reported."""

    order: ProductionOrder
    progress: OrderProgress | None
    items: Sequence[OrderItem] = field(default_factory=tuple)

    @property
    def status(self) -> Status:
        if self.progress is not None and self.progress.ended_at is not None:
            return Status.COMPLETED
        if self.progress is not None and self.progress.started_at is not None:
            return Status.STARTED
        return Status.UNRELEASED if self.order.released_message_id is None else Status.RELEASED

    @property
    def completed(self) -> Decimal:
        """Of the order's own item; of all that it made where it was never released."""
        return self._sum("produced")

    @property
    def scrapped(self) -> Decimal:
        return self._sum("scrapped")

    @property
    def remaining(self) -> Decimal:
        """Still to come: nothing once it has ended, and never less."""
        if self.status is Status.COMPLETED:
            return Decimal(0)
        return max(Decimal(0), self.order.planned - self.completed)

    def late_seconds(self, now: datetime) -> float | None:
        """How long after its planned end it ended, or is still open; None where it is neither or has no plan."""
        planned = self.order.planned_end_at
        ended = self.progress.ended_at if self.progress is not None else None
        late = None if planned is None else ((ended or now) - planned).total_seconds()
        return late if late is not None and late > 0 else None

    def _sum(self, name: str) -> Decimal:
        own = (one for one in self.items if self.order.item in (None, one.item))
        return sum((getattr(one, name) for one in own), Decimal(0))


def list_orders(
    session: Session, chosen: OrderFilter, limit: int, after: Sequence[str] | None = None
) -> list[OrderPicture]:
    """By plant and order; ``after`` is the key of the last of the page before."""
    progress = and_(OrderProgress.plant == ProductionOrder.plant, OrderProgress.order_id == ProductionOrder.order_id)
    query: Any = select(ProductionOrder, OrderProgress)
    if chosen.status is Status.STARTED:
        # From the open ones, which an index has: those that have ended are many, and stand before them.
        query, key = query.select_from(OrderProgress).join(ProductionOrder, progress), OPEN_KEY
        query = query.where(OrderProgress.plant == chosen.plant) if chosen.plant is not None else query
    else:
        query, key = query.outerjoin(OrderProgress, progress), ORDER_KEY
    query = query.order_by(*key).limit(limit).where(*_conditions(chosen))
    if after is not None:
        query = query.where(tuple_(*key) > tuple(after))
    rows = [(row[0], row[1]) for row in session.execute(query)]
    items = _items_of(session, [(order.plant, order.order_id) for order, _ in rows])
    return [OrderPicture(order, told, items.get((order.plant, order.order_id), ())) for order, told in rows]


def list_reports(
    session: Session, plant: str, order_id: str, limit: int, before: int | None = None
) -> Sequence[OrderReport]:
    """What was reported of the order, the last entered first, void ones with them."""
    query = select(OrderReport).where(OrderReport.plant == plant, OrderReport.order_id == order_id)
    if before is not None:
        query = query.where(OrderReport.id < before)
    return session.scalars(query.order_by(OrderReport.id.desc()).limit(limit)).all()


def _conditions(chosen: OrderFilter) -> list[ColumnElement[bool]]:
    wanted = (
        (ProductionOrder.plant, chosen.plant),
        (ProductionOrder.order_id, chosen.order_id),
        (ProductionOrder.item, chosen.item),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in wanted if value is not None]
    started, ended = OrderProgress.started_at.is_not(None), OrderProgress.ended_at.is_not(None)
    idle = OrderProgress.started_at.is_(None)
    of_status: dict[Status, list[ColumnElement[bool]]] = {
        Status.COMPLETED: [ended],
        Status.STARTED: [started, ~ended],
        Status.RELEASED: [idle, ProductionOrder.released_message_id.is_not(None)],
        Status.UNRELEASED: [idle, ProductionOrder.released_message_id.is_(None)],
    }
    conditions += of_status[chosen.status] if chosen.status else []
    if chosen.late_at is not None:
        conditions += [ProductionOrder.planned_end_at < chosen.late_at, OrderProgress.ended_at.is_(None)]
    return conditions


def _items_of(session: Session, orders: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[OrderItem]]:
    if not orders:
        return {}
    query = select(OrderItem).where(among((OrderItem.plant, OrderItem.order_id), orders))
    query = query.order_by(OrderItem.plant, OrderItem.order_id, OrderItem.item, OrderItem.uom)
    found: dict[tuple[str, str], list[OrderItem]] = {}
    for row in session.scalars(query.limit(ITEMS_MOST * len(orders))):
        found.setdefault((row.plant, row.order_id), []).append(row)
    return found
