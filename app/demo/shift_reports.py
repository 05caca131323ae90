"""What happens in a plant during a shift, before any system has put it into its own words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from app.demo import catalogue

ORDERS_A_PLANT = 3
REPORTS_AN_ORDER = 3
MOVES_A_PLANT = 4
RECEIPTS_A_PLANT = 4

MADE_IN: Mapping[str, str] = {plant: item for item, plant in catalogue.MADE_AT.items()}
PARTS: Mapping[str, Mapping[str, Decimal]] = {bill.item: bill.components for bill in catalogue.BILLS_OF_MATERIALS}
BASE_UNITS: Mapping[str, str] = {item.code: item.base_uom for item in catalogue.ITEMS}
PURCHASED = [item.code for item in catalogue.ITEMS if item.purchased]


@dataclass(frozen=True)
class Order:
    plant: str
    number: str
    item: str
    planned: int
    lot: str


@dataclass(frozen=True)
class Worked:
    """Good pieces of an order, pieces that were lost, and the parts that were fetched for them."""

    at: datetime
    order: Order
    good: int
    lost: int
    used: Mapping[str, Decimal]
    final: bool


@dataclass(frozen=True)
class Moved:
    at: datetime
    item: str
    quantity: Decimal
    origin: str
    destination: str


@dataclass(frozen=True)
class Received:
    at: datetime
    purchase_order: str
    line: int
    item: str
    quantity: Decimal


class Clock:
    """Instants through the shift, each later than the one before."""

    def __init__(self, start: datetime) -> None:
        self._at = start.replace(microsecond=0)

    def next(self) -> datetime:
        self._at += timedelta(minutes=5)
        return self._at


def plan_orders(run: int, plant: str, random: Random) -> list[Order]:
    """The orders of one plant in one shift; their numbers are digits, as the legacy system takes nothing else."""
    return [
        Order(
            plant=plant,
            number=f"{plant[1]}{run:05d}{number:02d}",
            item=MADE_IN[plant],
            planned=random.randrange(20, 41, 5),
            lot=f"{plant}-{run:05d}-{number}",
        )
        for number in range(1, ORDERS_A_PLANT + 1)
    ]


def work_on(orders: list[Order], random: Random, clock: Clock) -> Iterator[Worked]:
    """Every order in several reports; one piece is lost in the second of each."""
    for report in range(REPORTS_AN_ORDER):
        for order in orders:
            good = max(1, order.planned // REPORTS_AN_ORDER - random.randrange(0, 3))
            parts = {item: (each * good).normalize() for item, each in PARTS[order.item].items()}
            yield Worked(
                at=clock.next(),
                order=order,
                good=good,
                lost=1 if report == 1 else 0,
                used=dict(list(parts.items())[:1]) if report else parts,
                final=report == REPORTS_AN_ORDER - 1,
            )


def move_material(plant: str, random: Random, clock: Clock) -> Iterator[Moved]:
    """From the store to the line."""
    codes = catalogue.storage_codes(plant)
    items = list(PARTS[MADE_IN[plant]])
    for number in range(MOVES_A_PLANT):
        quantity = Decimal(random.randrange(5, 51))
        yield Moved(clock.next(), items[number % len(items)], quantity, codes["stock"], codes["work_in_process"])


def receive_goods(run: int, plant: str, random: Random, clock: Clock) -> Iterator[Received]:
    """On the purchase orders that the ERP holds, another one each time, so that many shifts find something open."""
    own = [order for order in catalogue.PURCHASE_ORDERS if order.plant == plant]
    for number in range(RECEIPTS_A_PLANT):
        order = own[(run * RECEIPTS_A_PLANT + number) % len(own)]
        line = number % len(order.lines)
        yield Received(clock.next(), order.id, line + 1, order.lines[line][0], Decimal(random.randrange(1, 6)))
