"""However movements, counts and reversals reach the ledger, it says in the end what a plain walk through them says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select

from app.projections.ledger import Entry, enter, void
from app.projections.movements import Kind, Leg, Place
from app.store.ledger_tables import ItemStock, Movement, Stock
from app.store.session import Store
from tests.factories import NOON

HERE = Place("P100", "WHEEL-10", "EA", "P100-ST")


@dataclass(frozen=True)
class Told:
    """One message: a change, or a count of what is there, at a minute; ``void``: reversed in the end."""

    minute: int
    amount: int
    is_count: bool
    void: bool

    def entry(self, number: int) -> Entry:
        kind = Kind.COUNTED if self.is_count else Kind.ADJUSTED
        leg = Leg(HERE, kind, Decimal(self.amount), self.is_count)
        return Entry(number, 0, 0, leg, NOON + timedelta(minutes=self.minute))


TOLD = st.lists(
    st.builds(Told, st.integers(0, 12), st.integers(-9, 9), st.booleans(), st.booleans()), min_size=1, max_size=12
)


def _walk(told: list[Told]) -> tuple[int, dict[int, int]]:
    """The stock in the end, and the change that each message makes, told in the plainest way."""
    stock, changes = 0, {}
    for number, one in sorted(enumerate(told, start=1), key=lambda pair: (pair[1].minute, pair[0])):
        if not one.void:
            changes[number] = one.amount - stock if one.is_count else one.amount
            stock += changes[number]
    return stock, changes


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=TOLD, portions=st.integers(1, 4), seed=st.integers(0, 1_000))
def test_stock_and_differences_do_not_depend_on_the_order_of_entering(
    store: Store, told: list[Told], portions: int, seed: int
) -> None:
    with store.writing() as session:
        for table in (Movement, Stock, ItemStock):
            session.execute(delete(table).execution_options(synchronize_session=False))
    numbers = list(range(1, len(told) + 1))
    Random(seed).shuffle(numbers)

    for part in range(portions):
        mine = numbers[part::portions]
        with store.writing() as session:
            enter(session, [told[number - 1].entry(number) for number in mine], NOON)
        with store.writing() as session:
            void(session, {number for number in mine if told[number - 1].void}, NOON)

    stock, changes = _walk(told)
    with store.reading() as session:
        rows = session.execute(select(Movement.message_id, Movement.quantity).where(Movement.void_at.is_(None)))
        assert {row.message_id: int(row.quantity) for row in rows} == changes
        assert int(session.execute(select(Stock.quantity)).scalar_one()) == stock
        assert int(session.execute(select(ItemStock.unrestricted)).scalar_one()) == stock
