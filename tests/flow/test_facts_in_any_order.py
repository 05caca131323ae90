"""However receipts, shipments, orders, states and reversals reach the projections, they say in the end the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from app.projections.facts import TABLES, Facts, enter_facts, facts_of, void_facts
from app.projections.origin import Origin
from app.store.ledger_tables import ItemStock
from app.store.session import Store
from mappings.context import Event
from mappings.units import plain
from tests.factories import NOON
from tests.facts import ea, facts_told, item_sums, purchase_lines

pytestmark = pytest.mark.slow

LOTS = ("", "L1", "L2")
STATES = ("RUN", "DOWN")


@dataclass(frozen=True)
class Told:
    """One message. ``document``: which of two deliveries or orders; ``void``: reversed in the end."""

    kind: str
    minute: int
    amount: int
    document: int
    choice: int
    void: bool

    def facts(self, number: int) -> Facts:
        moment = NOON + timedelta(minutes=self.minute)
        plant = "P200" if self.kind in ("arrival", "receipt") else "P100"
        event, goal = getattr(self, f"_{self.kind}")()
        event.data["event_time"] = moment.isoformat()
        return facts_of(Origin(number, 0, plant, moment), event, {}, {"to_plant": goal})

    def _lot(self) -> dict[str, str]:
        return {"lot": LOTS[self.choice]} if LOTS[self.choice] else {}

    def _order(self) -> tuple[Event, None]:
        lines = [{"line": str(n), "item": "W", "quantity": ea(str(self.amount + n))} for n in range(1, self.choice + 2)]
        return Event("purchase.order.placed.v1", {"purchase_order": f"O{self.document}", "lines": lines}), None

    def _receipt(self, kind: str = "purchase_order", letter: str = "O") -> tuple[Event, None]:
        line = {"line": str(self.choice)} if self.choice else {}
        data: dict[str, Any] = {"document_ref": {"type": kind, "id": f"{letter}{self.document}"} | line, "item": "W"}
        data |= {"received": ea(str(self.amount)), "accepted": ea("0"), "rejected": ea(str(self.amount % 2))}
        return Event("receipt.recorded.v1", data | self._lot()), None

    def _arrival(self) -> tuple[Event, None]:
        return self._receipt("delivery", "D")

    def _shipment(self) -> tuple[Event, str]:
        line: dict[str, Any] = {"item": "W", "quantity": ea(str(self.amount))} | self._lot()
        if self.amount % 3 == 0:
            line["order_ref"] = {"type": "purchase_order", "id": f"O{self.amount % 2}"}
        return Event("shipment.confirmed.v1", {"delivery_id": f"D{self.document}", "lines": [line]}), "P200"

    def _state(self) -> tuple[Event, None]:
        data: dict[str, Any] = {"equipment_id": f"E{self.document}", "to": STATES[self.amount % 2]}
        return Event("equipment.state.changed.v1", data | ({"from": "RUN"} if self.choice else {})), None


KINDS = ("order", "receipt", "arrival", "shipment", "state")
TOLD = st.lists(
    st.builds(
        Told,
        st.sampled_from(KINDS),
        st.integers(0, 9),
        st.integers(1, 9),
        st.integers(0, 1),
        st.integers(0, 2),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


def _enter(store: Store, told: Sequence[Told], numbers: Sequence[int], portions: int) -> None:
    with store.writing() as session:
        for table in (*TABLES, ItemStock):
            session.execute(delete(table).execution_options(synchronize_session=False))
    for part in range(portions):
        mine, facts = numbers[part::portions], Facts()
        for number in mine:
            facts.add(told[number - 1].facts(number))
        with store.writing() as session:
            enter_facts(session, facts, NOON)
        with store.writing() as session:
            void_facts(session, {number for number in mine if told[number - 1].void}, NOON)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=TOLD, portions=st.integers(2, 4), seed=st.integers(0, 1_000))
def test_what_is_told_does_not_depend_on_the_order_of_entering(
    store: Store, told: list[Told], portions: int, seed: int
) -> None:
    numbers = list(range(1, len(told) + 1))
    _enter(store, told, [number for number in numbers if not told[number - 1].void], 1)
    in_order = facts_told(store)

    Random(seed).shuffle(numbers)
    _enter(store, told, numbers, portions)

    assert facts_told(store) == in_order
    _holds_against_plain_sums(store, told)


def _holds_against_plain_sums(store: Store, told: Sequence[Told]) -> None:
    """What is open adds up to what is on order; no more is on its way than was sent, and no less than sent and not
    received at all."""
    still_open = sum((Decimal(line[3]) for line in purchase_lines(store).values()), Decimal(0))
    counting = [one for one in told if not one.void]
    sent = sum(one.amount for one in counting if one.kind == "shipment")
    came = sum(one.amount for one in counting if one.kind in ("receipt", "arrival"))
    on_order, in_transit = (item_sums(store, name).values() for name in ("on_order", "in_transit"))
    assert plain(sum(map(Decimal, on_order), Decimal(0))) == plain(still_open)
    assert max(0, sent - came) <= sum(map(Decimal, in_transit), Decimal(0)) <= sent
