"""What the measures make of dead letters that are reversed in the end: each death is settled once."""

from __future__ import annotations

import pytest

from app.inbox.states import Move, State, move_messages
from app.projections.measuring import Counted, Lasted
from app.projections.projector import rebuild
from app.store.session import Store
from tests.factories import NOON
from tests.flow.reversing import BLOCKED, Plant
from tests.flow.test_measures import measured, plain, settle, totals

pytestmark = pytest.mark.slow


def test_a_dead_letter_that_is_reversed_in_the_end_is_settled(store: Store) -> None:
    plant = Plant(store)
    plant.work()
    plant.order()
    plant.wms.before_reversal = [BLOCKED]
    plant.work()
    at_first = counts_of(store, Counted.DIED, Counted.SETTLED)
    plant.requeue()
    plant.work()

    settled = counts_of(store, Counted.DIED, Counted.SETTLED)

    assert plant.state == "compensated"
    assert (at_first, settled) == ((1, 0), (1, 1))
    assert sum(measured(store)["inventory",].histogram(Lasted.RESOLUTION).values()) == 1
    assert_measured_the_same_anew(store)


@pytest.mark.parametrize("end", ["compensated", "discarded"])
def test_a_dead_letter_that_was_posted_is_settled_once_whatever_becomes_of_it_later(store: Store, end: str) -> None:
    plant = Plant(store)
    plant.erp.before = [BLOCKED]
    plant.work()
    plant.requeue()
    plant.work()
    posted_at = counts_of(store, Counted.DIED, Counted.SETTLED)
    if end == "compensated":
        plant.order()
        plant.work()
    else:
        with store.writing() as session:
            move_messages(session, [Move(plant.id, State.DEAD, reason_code="no", reason="No.")], plant.clock())
            move_messages(session, [Move(plant.id, State.DISCARDED)], plant.clock(), actor="kim")

    ended = counts_of(store, Counted.DIED, Counted.SETTLED)

    assert plant.state == end
    assert (posted_at, ended) == ((1, 1), (1, 1))
    assert_measured_the_same_anew(store)


def test_what_never_died_is_never_settled_by_its_reversal(store: Store) -> None:
    plant = Plant(store)
    plant.work()
    plant.order()
    plant.work()

    assert plant.state == "compensated"
    assert counts_of(store, Counted.POSTED, Counted.DIED, Counted.SETTLED) == (1, 0, 0)


def counts_of(store: Store, *wanted: Counted) -> tuple[int, ...]:
    settle(store)
    return tuple(measured(store)["inventory",].count(each) for each in wanted)


def assert_measured_the_same_anew(store: Store) -> None:
    before = plain(measured(store, by_day=True)), plain(totals(store))
    rebuild(store, NOON)
    settle(store)
    assert (plain(measured(store, by_day=True)), plain(totals(store))) == before
