"""Messages with a fate that is drawn for each, and the plain arithmetic of what they leave where.

Nothing of the code under test is used here: what a message does to stock is written down beside its payload, and the
stock of either side is a walk through what that side was told.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from app.inbox.accept import Incoming
from tests.factories import NOON, incoming

PLANTS = ("P100", "P200")
ITEMS = tuple(f"ITEM-{number:02}" for number in range(12))
USUAL = "USUAL"
TYPES = (
    "receipt.recorded.v1",
    "production.completed.v1",
    "material.issued.v1",
    "inventory.moved.v1",
    "inventory.adjusted.v1",
    "inventory.counted.v1",
    "shipment.confirmed.v1",
)
COUNT = "inventory.counted.v1"
Pair = tuple[str, str]
Spot = tuple[str, str, str, str, str]
"""Plant, item, storage location, lot, stock status."""

# How it stands at the ERP, and the cause that a difference it makes is told with; None: the ERP lacks nothing of it.
CAUSES: Mapping[str, str | None] = {
    "held": None,
    "held_of_another_unfinished": None,
    "found_after": None,
    "unknown_held": None,
    "twice": None,
    "dead": "dead",
    "reversed": "dead",
    "retried": "waiting",
    "item_missing": "waiting",
    "order_missing": "waiting",
    "transformed": "in_flight",
    "enriched": "in_flight",
    "trails": "in_flight",
    "refused": "refused",
    "late": "timing",
    "trailed_late": "timing",
    "unrouted": "not_routed",
    "unrouted_late": "not_routed",
    "unknown_lacking": "unknown_outcome",
    "raw": None,
    "discarded": None,
    "of_later": None,
}
REPORTED_BY_NOBODY = ("raw", "discarded", "of_later")
NOT_IN_THE_LEDGER = (
    *("held_of_another_unfinished", "dead", "reversed", "retried", "item_missing", "order_missing"),
    *("transformed", "enriched"),
)
"""Of those that are required. An unknown outcome keeps a required posting's message out of the ledger as well."""
NOT_YET = ("late", "trailed_late", "of_later")
"""In the ERP's books by now, and not at the cut-off."""
IN_DOUBT = ("unknown_held", "unknown_lacking", "twice")


@dataclass(frozen=True)
class Change:
    """What a message does to one spot; of a count, what was found there."""

    spot: Spot
    amount: Decimal


@dataclass(frozen=True)
class Told:
    """One message as it is to be sent, and what becomes of it. ``is_required``: of its posting to the ERP."""

    number: int
    plant: str
    type: str
    at: datetime
    data: Mapping[str, Any]
    changes: Sequence[Change]
    fate: str
    is_required: bool

    @property
    def time(self) -> str:
        """By which the ERP's documents are told apart."""
        return str(self.data["event_time"])

    @property
    def incoming(self) -> Incoming:
        attributes = {"partitionkey": f"k{self.number}"}
        return incoming(f"m{self.number}", self.type, self.data, plant=self.plant, attributes=attributes)

    @property
    def is_count(self) -> bool:
        return self.type == COUNT

    @property
    def is_in_the_ledger(self) -> bool:
        if self.fate in ("unknown_held", "unknown_lacking"):
            return not self.is_required
        return self.fate not in (*REPORTED_BY_NOBODY, *NOT_IN_THE_LEDGER)


@dataclass(frozen=True)
class Goods:
    """So much of an item as it is written on the wire, and in its base unit."""

    plant: str
    item: str
    storage: str
    lot: str
    wire: Mapping[str, str]
    amount: Decimal

    @property
    def line(self) -> dict[str, Any]:
        named = {"storage": self.storage} if self.storage else {}
        return {"item": self.item, "quantity": dict(self.wire), **({"lot": self.lot} if self.lot else {}), **named}

    def change(self, sign: int = 1, status: str = "unrestricted", storage: str | None = None) -> Change:
        place = storage or self.storage or USUAL
        return Change((self.plant, self.item, place, self.lot, status), self.amount * sign)


def write(kind: str, at: datetime, goods: Sequence[Goods], random: Random, number: int) -> tuple[Any, list[Change]]:
    """The payload of one message of this type, and what it does to stock."""
    data: dict[str, Any] = {"event_time": at.isoformat().replace("+00:00", "Z")}
    first = goods[0]
    if kind in ("production.completed.v1", "material.issued.v1"):
        is_made = kind == "production.completed.v1"
        data |= {"order_id": f"order-{first.plant}", ("outputs" if is_made else "components"): [g.line for g in goods]}
        return data | ({"final": False} if is_made else {}), [one.change(1 if is_made else -1) for one in goods]
    if kind == "shipment.confirmed.v1":
        lines = [{key: value for key, value in one.line.items() if key != "storage"} for one in goods]
        where = {"location": {"storage": first.storage}} if first.storage else {}
        changes = [one.change(-1, storage=first.storage or USUAL) for one in goods]
        return data | {"delivery_id": f"D{number}", "lines": lines, **where}, changes
    data |= {"item": first.item, **({"lot": first.lot} if first.lot else {})}
    if kind == "inventory.moved.v1":
        goal = random.choice([one for one in ("ST", "WIP", "DOCK") if one != first.storage])
        data |= {"quantity": dict(first.wire), "from": {"storage": first.storage or USUAL}, "to": {"storage": goal}}
        return data, [first.change(-1), first.change(1, storage=goal)]
    data |= {"location": {"storage": first.storage}} if first.storage else {}
    return _write_of_one(kind, data, first, random)


def _write_of_one(kind: str, data: dict[str, Any], goods: Goods, random: Random) -> tuple[Any, list[Change]]:
    wire, none = dict(goods.wire), {"value": "0", "uom": goods.wire["uom"]}
    if kind == COUNT:
        return data | {"counted": wire}, [goods.change()]
    if kind == "inventory.adjusted.v1":
        sign = random.choice((1, -1))
        return data | {"delta": {**wire, "value": f"{'-' if sign < 0 else ''}{wire['value']}"}, "reason": "found"}, [
            goods.change(sign)
        ]
    status = random.choice(("unrestricted", "unrestricted", "quality", "blocked"))
    named = {"unrestricted": (wire, none), "quality": (none, none), "blocked": (none, wire)}[status]
    order = {"document_ref": {"type": "purchase_order", "id": "1"}}
    return data | order | {"received": wire, "accepted": named[0], "rejected": named[1]}, [goods.change(status=status)]


class Walk:
    """Stock after these messages, one after the other as they happened. ``found``: what each count changed."""

    def __init__(self, told: Iterable[Told]) -> None:
        self.stock: dict[Spot, Decimal] = defaultdict(Decimal)
        self.found: dict[int, Decimal] = {}
        self.counted: dict[Spot, datetime] = {}
        for one in sorted(told, key=lambda each: each.at):
            for change in one.changes:
                if one.is_count:
                    self.found[one.number] = change.amount - self.stock[change.spot]
                    self.stock[change.spot] = change.amount
                    self.counted[change.spot] = one.at
                else:
                    self.stock[change.spot] += change.amount

    def is_counted_after(self, one: Told, spot: Spot) -> bool:
        return spot in self.counted and self.counted[spot] > one.at


@dataclass(frozen=True)
class Lack:
    """What a side that lacks this message has less at this spot, and under which cause it is told."""

    number: int
    spot: Spot
    amount: Decimal
    cause: str


@dataclass(frozen=True)
class Sides:
    """Both sides' stock at the cut-off, and what the ERP lacks of what was reported, message by message."""

    reported: Mapping[Spot, Decimal]
    system: Mapping[Spot, Decimal]
    lacks: Sequence[Lack]


def _at_the_erp(one: Told) -> str | None:
    return CAUSES[one.fate]


def both_sides(
    told: Sequence[Told], held: Sequence[Told], cause_of: Callable[[Told], str | None] = _at_the_erp
) -> Sides:
    """``held``: what the system (the ERP unless told) has had by the cut-off, a document that it has twice standing
    twice.

    A count says what lies there. So what happened before it makes no difference to a side that has the count; and a
    count that never took effect found nothing yet.
    """
    ledger = Walk(one for one in told if one.is_in_the_ledger)
    system = Walk(held)
    reported = defaultdict(Decimal, ledger.stock)
    lacks: list[Lack] = []
    for one in told:
        is_open = not one.is_in_the_ledger
        if one.fate in REPORTED_BY_NOBODY or (is_open and one.is_count):
            continue
        for change in one.changes:
            if is_open and ledger.is_counted_after(one, change.spot):
                continue
            if is_open:
                reported[change.spot] += change.amount
            cause = cause_of(one)
            if cause is not None and not system.is_counted_after(one, change.spot):
                amount = ledger.found[one.number] if one.is_count else change.amount
                lacks.append(Lack(one.number, change.spot, -amount, cause))
            if one.fate == "twice" and held.count(one) > 1:
                lacks.append(Lack(one.number, change.spot, change.amount, "duplicate"))
    return Sides(reported, system.stock, lacks)


def moment(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)
