"""What waits and what is retried are counted apart: neither uses up the patience that is meant for the other."""

from __future__ import annotations

from app.errors import Transient, Waiting
from app.pipeline.context import Pipeline
from app.pipeline.reference_data import sync_items
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Planner
from tests.reading import message, states


def _run(line: Pipeline, clock: Clock, rounds: int, seconds: float = 301) -> None:
    for _ in range(rounds):
        run_once(line)
        clock.pass_time(seconds)


def test_a_long_wait_leaves_the_retries_their_whole_time(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [*(Waiting("stock:P100:WHEEL-10", "short") for _ in range(25)), Transient("503")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock, wait_seconds=7 * 86_400, give_up_seconds=3_600)

    _run(line, clock, 29)

    assert states(store, moved) == ["posted"]


def test_a_target_that_answers_ends_the_retries_before_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("503"), Waiting("stock:P100:WHEEL-10", "short")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    retried = message(store, moved)
    clock.pass_time(61)
    run_once(line)
    waits = message(store, moved)

    assert (retried.retries, retried.retrying_since, retried.waiting_since) == (1, NOON, None)
    assert (waits.retries, waits.retrying_since, waits.waiting_since) == (0, None, clock())


def test_what_is_missing_is_waited_for_once_whatever_fails_in_between(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Waiting("stock:P100:W", "short"), Transient("503")] * 200
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock, wait_seconds=3_000, give_up_seconds=86_400)

    _run(line, clock, 14)

    assert states(store, moved) == ["dead"]
    assert message(store, moved).reason_code == "waited_too_long"


def test_a_posting_that_is_through_leaves_the_next_one_its_whole_time(store: Store) -> None:
    erp, wms, clock = Books(), Books(), Clock(NOON)
    erp.before = [Transient("down") for _ in range(10)]
    wms.before = [Transient("busy")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": erp, "wms": wms}, clock, give_up_seconds=3_100)

    _run(line, clock, 11)
    found = message(store, moved)
    _run(line, clock, 1)

    assert (found.state, found.retries) == ("waiting", 1)
    assert states(store, moved) == ["posted"]


def test_a_busy_system_of_record_is_asked_for_its_items_when_it_wants(sqlite_store: Store) -> None:
    planner = Planner(clock := Clock(NOON))
    planner.reading = [Transient("503", after_seconds=900)]
    line = pipeline(sqlite_store, {"erp": planner}, clock)

    asked = []
    for seconds in (0, 890, 20):
        clock.pass_time(seconds)
        sync_items(line)
        asked.append(len(planner.since))

    assert asked == [1, 1, 2]
