"""Who and what a day of the bench's plants is about, by number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PLANTS = ("P100", "P200", "P300")
ORDERS_A_DAY = 400
MESSAGES_AN_ORDER = 12
SUPPLIERS, CUSTOMERS = 40, 60
GROUPS = 10
"""Groups of items, of one of which a day is."""
ITEMS_A_GROUP = 300
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = 60
"""Storage zones a plant, a day's stock in one of them in turn: some 50,000 balances once all were used."""


@dataclass(frozen=True)
class Words:
    """What a day's own things are called; every one holds ``tag``, ``zone``, ``group`` or ``date``, and nothing else of
    a message does."""

    day: int

    @property
    def tag(self) -> str:
        return f"D{self.day:04d}x"

    @property
    def zone(self) -> str:
        return f"Z{self.day % ZONES:02d}z"

    @property
    def begin(self) -> datetime:
        return BEGIN + timedelta(days=self.day)

    @property
    def date(self) -> str:
        return self.begin.date().isoformat()

    def order(self, number: int) -> str:
        return f"1{self.tag}{number:04d}"

    def lot(self, number: int) -> str:
        """Even numbers are bought, the odd ones are made by the orders in turn."""
        return f"L{self.tag}{number:05d}"

    def purchase_order(self, number: int) -> str:
        return f"45{self.tag}{number:04d}"

    def delivery(self, number: int) -> str:
        return f"8{self.tag}{number:04d}"

    def machine(self, number: int) -> str:
        return f"M{self.tag}{number:02d}"

    @property
    def group(self) -> str:
        return f"G{self.day % GROUPS}g"

    def item(self, number: int) -> str:
        return f"ITEM-{self.group}{number % ITEMS_A_GROUP:03d}"

    def storage(self, plant: str, name: object) -> str:
        return f"{plant}-{self.zone}-{name}"


def supplier(number: int) -> str:
    return f"SUPPLIER-{number % SUPPLIERS:02d}"


def customer(number: int) -> str:
    return f"CUSTOMER-{number % CUSTOMERS:02d}"


def plant_of(number: int) -> str:
    return PLANTS[number % len(PLANTS)]


def plant_of_order(number: int) -> str:
    """Five orders in turn are of one plant, each made of what the one before it made."""
    return plant_of(number // 5)


def next_plant(number: int) -> str:
    return plant_of(number // 5 + 1)


def dock(plant: str) -> str:
    return f"{plant}-DOCK"


def messages_a_day(orders: int) -> int:
    """12 for each order and one for every other."""
    return orders * MESSAGES_AN_ORDER + orders // 2


def ea(value: int) -> dict[str, str]:
    return {"value": str(value), "uom": "EA"}


def arrived(number: int) -> int:
    """Of the 30 that were ordered."""
    return 30 if number % 3 else 24
