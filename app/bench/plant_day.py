"""A day of three plants as messages: orders with what is bought, moved, consumed, made and shipped for them, and beside
them holds, machines, master data, transfers between plants, and what a target refuses.

Everything that is the day's own carries its name, and all of it happens on the day's date, so that a day can be copied
as another one by putting other words in their places.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from app.bench.plant_names import (
    ITEMS_A_GROUP,
    ORDERS_A_DAY,
    PLANTS,
    Words,
    arrived,
    customer,
    dock,
    ea,
    next_plant,
    plant_of,
    plant_of_order,
    supplier,
)

RACKS = 6
REFUSED_STORAGE = "FULL"
"""What is moved there is refused by the WMS."""
ISSUE = "material.issued.v1"


@dataclass(frozen=True)
class Made:
    """One event, and when its plant sent it."""

    id: str
    plant: str
    type: str
    data: dict[str, Any]
    at: datetime


class Day:
    """The messages of one day. Each day is drawn from the same dice: it differs from another by its words alone."""

    def __init__(self, day: int, orders: int = ORDERS_A_DAY) -> None:
        self.words = Words(day)
        self.orders = orders
        self._count = 0

    def made_item(self, number: int) -> str:
        return self.words.item(Random(2 * number).randrange(ITEMS_A_GROUP))

    def bought_item(self, number: int) -> str:
        return self.words.item(Random(2 * number + 1).randrange(ITEMS_A_GROUP))

    def messages(self) -> Iterator[Made]:
        """In the order in which they are sent; ``messages_a_day`` of them."""
        for number in range(self.orders):
            yield from self._order(number, Random(number))
            yield self._beside(number)
            if number % 2:
                yield self._more(number // 2)

    def _say(self, plant: str, kind: str, **data: Any) -> Made:
        """Half a second after the one before, so that they have an order."""
        self._count += 1
        at = self.words.begin + timedelta(hours=4, seconds=self._count / 2)
        told = {"event_time": at.isoformat().replace("+00:00", "Z"), **data}
        return Made(f"{self.words.tag}{self._count:06d}", plant, kind, told, at)

    def _order(self, number: int, random: Random) -> Iterator[Made]:
        """An order's life: what it is made of comes in, goes to the line, is consumed, and becomes a lot that is
        shipped. Of five orders in turn each but the first is made of what the one before it made, so that lots have
        ancestors; every fourth is not ended."""
        words, plant = self.words, plant_of_order(number)
        made, part = self.made_item(number), self.bought_item(number)
        bought, made_lot, order = words.lot(2 * number), words.lot(2 * number + 1), words.order(number)
        used = (self.made_item(number - 1), words.lot(2 * number - 1)) if number % 5 else (part, bought)
        rack, line = words.storage(plant, f"R{random.randrange(RACKS)}"), words.storage(plant, "LINE")
        yield from self._bought(number, plant, part, bought)
        materials = [{"item": used[0], "quantity": ea(12 if number % 4 else 20)}]
        when = words.begin.isoformat().replace("+00:00", "Z")
        span = {"start": when, "end": f"{words.date}T20:00:00Z"}
        yield self._say(
            plant,
            "production.order.released.v1",
            order_id=order,
            item=made,
            quantity=ea(18),
            **span,
            materials=materials,
        )
        ends = {"from": {"storage": dock(plant)}, "to": {"storage": line if number % 5 == 0 else rack}}
        # Of every tenth a part waits at the dock to be put away.
        moved = ea(arrived(number) if number % 10 else 20)
        yield self._say(plant, "inventory.moved.v1", item=part, quantity=moved, lot=bought, **ends)
        for turn in range(3):
            taken = {"item": used[0], "lot": used[1], "quantity": ea(4), "storage": line}
            yield self._say(plant, ISSUE, order_id=order, components=[taken])
            put = {"item": made, "lot": made_lot, "quantity": ea(6), "storage": line}
            final = turn == 2 and number % 4 != 0
            yield self._say(plant, "production.completed.v1", order_id=order, outputs=[put], final=final)
        yield self._shipped(number, plant, line, {"item": made, "lot": made_lot, "quantity": ea(6)})

    def _bought(self, number: int, plant: str, part: str, lot: str) -> Iterator[Made]:
        order = self.words.purchase_order(number)
        line = {"line": "1", "item": part, "quantity": ea(30), "need_by": f"{self.words.date}T20:00:00Z"}
        yield self._say(
            plant,
            "purchase.order.placed.v1",
            purchase_order=order,
            supplier=supplier(number),
            buyer=plant,
            lines=[line],
        )
        came = ea(arrived(number))
        counted = {"received": came, "accepted": came, "rejected": ea(0)}
        reference = {"type": "purchase_order", "id": order, "line": "1"}
        place = {"storage": dock(plant)}
        yield self._say(
            plant, "receipt.recorded.v1", document_ref=reference, item=part, lot=lot, **counted, location=place
        )

    def _shipped(self, number: int, plant: str, storage: str, line: dict[str, Any]) -> Made:
        """Every fifth goes to the next plant."""
        goal = next_plant(number) if number % 5 == 0 else customer(number)
        return self._say(
            plant,
            "shipment.confirmed.v1",
            delivery_id=self.words.delivery(number),
            ship_to=goal,
            lines=[line],
            location={"storage": storage},
        )

    def _beside(self, number: int) -> Made:
        """What happens beside an order, by turns."""
        plant, lot = plant_of_order(number), self.words.lot(2 * number + 1)
        turn, before = number % 10, self.words.lot(2 * number - 1)
        if turn == 2:
            return self._say(
                plant,
                "quality.held.v1",
                item=self.made_item(number),
                lot=lot,
                status="quality",
                reason="to be inspected",
            )
        if turn == 3 and number % 100 != 3:
            return self._say(
                plant_of_order(number - 1),
                "quality.released.v1",
                item=self.made_item(number - 1),
                lot=before,
                status="unrestricted",
            )
        if turn == 4:
            return self._revised_item(number)
        if turn == 5:
            return self._revised_bill(number)
        if turn == 6:
            return self._arrived(number - 1)
        if turn == 7:
            return self._refused(number)
        if turn == 8:
            bent = {"item": self.made_item(number), "quantity": ea(1), "reason": "bent"}
            return self._say(plant, "production.scrapped.v1", order_id=self.words.order(number), **bent)
        return self._machine(number)

    def _revised_item(self, number: int) -> Made:
        code = self.made_item(number)
        cost = {"value": "12.5", "currency": "EUR"}
        return self._say(
            plant_of_order(number),
            "item.changed.v1",
            item=code,
            revision=self.words.tag,
            description=f"Item {code}",
            base_uom="EA",
            units={},
            standard_cost=cost,
        )

    def _revised_bill(self, number: int) -> Made:
        components = [
            {"item": self.words.item(ITEMS_A_GROUP - 1 - n), "quantity": ea(2)} for n in range(number % 3 + 1)
        ]
        return self._say(
            plant_of_order(number),
            "bom.changed.v1",
            item=self.words.item(number),
            revision=self.words.tag,
            quantity=ea(1),
            components=components,
        )

    def _arrived(self, number: int) -> Made:
        """What this order's plant has sent to the next one: some of it has come."""
        counted = {"received": ea(4), "accepted": ea(3), "rejected": ea(1)}
        reference = {"type": "delivery", "id": self.words.delivery(number)}
        goal = next_plant(number)
        return self._say(
            goal,
            "receipt.recorded.v1",
            document_ref=reference,
            item=self.made_item(number),
            lot=self.words.lot(2 * number + 1),
            **counted,
            location={"storage": dock(goal)},
        )

    def _refused(self, number: int) -> Made:
        plant = plant_of_order(number)
        ends = {
            "from": {"storage": self.words.storage(plant, "LINE")},
            "to": {"storage": self.words.storage(plant, REFUSED_STORAGE)},
        }
        return self._say(
            plant,
            "inventory.moved.v1",
            item=self.made_item(number),
            quantity=ea(3),
            lot=self.words.lot(2 * number + 1),
            **ends,
        )

    def _machine(self, number: int) -> Made:
        states = ("running", "stopped", "setup")
        turn = number // 10
        return self._say(
            plant_of(0),
            "equipment.state.changed.v1",
            equipment_id=self.words.machine(turn % 10),
            **{"from": states[turn // 10 % 3], "to": states[(turn // 10 + 1) % 3]},
        )

    def _more(self, number: int) -> Made:
        """Every other order's: a machine of its plant, or an issue for an order that nobody has released."""
        if number % 20 == 7:
            taken = {
                "item": self.words.item(number),
                "quantity": ea(5),
                "storage": self.words.storage(PLANTS[0], "LINE"),
            }
            return self._say(PLANTS[0], ISSUE, order_id=self.words.order(9_000 + number), components=[taken])
        return self._say(
            plant_of(number),
            "equipment.state.changed.v1",
            equipment_id=self.words.machine(20 + number % 30),
            to=("running", "stopped")[number // 30 % 2],
        )
