"""How much a dead letter matters to the business: one figure, made of parts that are each told.

    points = shipments + hold + lateness + waiting + value

Whole numbers, chosen so that a customer who waits comes before everything, then stock that may not be used and could
be, then orders that are late, then what stands behind it. docs/decisions/0025 says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from app.dead_letters.pressure import Pressure
from app.dead_letters.subject import Subject
from app.projections.item_costs import UnitCost
from mappings.units import plain

FIRST_SHIPMENT, FURTHER_SHIPMENT, SHIPMENTS_MOST = 100, 20, 200
HOLD, RELEASE = 80, 40
LATE, LATE_DAY, LATE_MOST = 20, 10, 100
DUE_SOON, SOON = 10, timedelta(days=1)
WAITS, WAITING_MOST = 10, 100
VALUE_STEP, VALUE_MOST = Decimal(1_000), 100

PARTS = ("shipments", "hold", "lateness", "waiting", "value")


@dataclass(frozen=True)
class Value:
    """What the quantities are worth at standard cost; ``unknown``: the items whose cost is not known, or not in their
    unit or in the currency of the others. Where there are any, there is no amount."""

    amount: Decimal | None
    currency: str | None
    unknown: tuple[str, ...]


@dataclass(frozen=True)
class Weight:
    """``points``: their sum is what lists are sorted by. ``told``: what the points are for, as it is shown."""

    points: int
    told: Mapping[str, Any]


def weight_of(subject: Subject, pressure: Pressure, costs: Mapping[str, UnitCost], now: datetime) -> Weight:
    """The impact of a message that is about this, with so much pressing for it."""
    value = value_of(subject, costs)
    points = {
        "shipments": _shipments(len(pressure.shipments)),
        "hold": _hold(subject.type),
        "lateness": max((_lateness(order.due_at, now) for order in pressure.orders if not order.ended), default=0),
        "waiting": min(WAITS + pressure.waiting, WAITING_MOST) if pressure.waiting else 0,
        "value": 0 if value.amount is None else int(min(value.amount // VALUE_STEP, Decimal(VALUE_MOST))),
    }
    told = {
        "points": points,
        "waiting": pressure.waiting,
        "behind": pressure.behind,
        "shipments": pressure.shipments,
        "orders": [
            {"order": order.order, "due_at": order.due_at.isoformat(), "ended": order.ended}
            for order in pressure.orders
        ],
        "held_lots": pressure.held_lots,
        "value": {
            "amount": None if value.amount is None else plain(value.amount),
            "currency": value.currency,
            "unknown_items": list(value.unknown),
        },
    }
    return Weight(sum(points.values()), told)


def value_of(subject: Subject, costs: Mapping[str, UnitCost]) -> Value:
    """What its quantities are worth, where each item's cost is known in its unit, and all in one currency."""
    currencies = {costs[amount.item].currency for amount in subject.amounts if amount.item in costs}
    unknown = {
        amount.item
        for amount in subject.amounts
        if amount.item not in costs or costs[amount.item].uom != amount.uom or len(currencies) > 1
    }
    if unknown or not subject.amounts:
        return Value(None, None, tuple(sorted(unknown)))
    worth = sum((abs(Decimal(amount.value)) * costs[amount.item].amount for amount in subject.amounts), Decimal(0))
    return Value(worth, currencies.pop(), ())


def _shipments(number: int) -> int:
    return min(FIRST_SHIPMENT + FURTHER_SHIPMENT * (number - 1), SHIPMENTS_MOST) if number else 0


def _hold(event_type: str | None) -> int:
    """A hold that has not taken effect lets stock be used that must not be; a release keeps some back that could."""
    return {"quality.held.v1": HOLD, "quality.released.v1": RELEASE}.get(event_type or "", 0)


def _lateness(due_at: datetime, now: datetime) -> int:
    late = now - due_at
    if late > timedelta(0):
        return min(LATE + LATE_DAY * late.days, LATE_MOST)
    return DUE_SOON if -late <= SOON else 0
