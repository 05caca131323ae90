"""Clocks that are put back or forward with messages under way: none waits for the old time, none is doubled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from app.adapters.base import PostingRequest, TargetAnswer
from app.clock import LeapWatch
from app.errors import Transient
from app.pipeline import set_back
from app.pipeline.context import Pipeline
from app.pipeline.post import post_due
from app.pipeline.relay import Relay
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed, NoBroker
from tests.reading import message, states

HOUR = 3_600


def test_what_came_before_a_clock_was_set_back_holds_up_nobody(store: Store) -> None:
    line, relay, clock = _plant(store, Books())
    relay.tick()
    before = accept(store, *(move_event(f"m{number}") for number in range(5)))

    clock.pass_time(-HOUR)
    after = accept(store, *(move_event(f"n{number}") for number in range(5)), at=clock())
    relay.tick()
    run_once(line)

    assert set(states(store, *before, *after)) == {"posted"}


def test_a_clock_set_back_while_nothing_ran_is_noticed_at_the_start(store: Store) -> None:
    line, _, clock = _plant(store, Books())
    before = accept(store, *(move_event(f"m{number}") for number in range(5)))

    clock.pass_time(-HOUR)
    Relay(line, NoBroker(), 100).tick()
    run_once(line)

    assert set(states(store, *before)) == {"posted"}


def test_what_a_killed_worker_held_is_free_after_its_lease_though_the_clock_was_set_back(store: Store) -> None:
    books = Books()
    books.before = [Killed()]
    line, relay, clock = _plant(store, books)
    relay.tick()
    held, untouched = accept(store, move_event("m1", lot="A"), move_event("m2", lot="B"))
    with pytest.raises(Killed):
        run_once(line, up_to=1)

    clock.pass_time(-HOUR)
    relay.tick()
    clock.pass_time(61)
    run_once(line)

    assert states(store, held, untouched) == ["posted", "posted"]


def test_a_retry_comes_after_what_was_left_of_its_wait(store: Store) -> None:
    books = Books()
    books.before = [Transient("busy", after_seconds=600)]
    line, relay, clock = _plant(store, books)
    relay.tick()
    (waiting,) = accept(store, move_event("m1"))
    run_once(line)

    clock.pass_time(-HOUR)
    relay.tick()
    relay.tick()
    due_at = message(store, waiting).due_at
    clock.pass_time(601)
    run_once(line)

    assert due_at is not None
    assert 599 <= (due_at - NOON).total_seconds() + HOUR <= 601
    assert states(store, waiting) == ["posted"]


def test_a_wait_for_something_is_looked_at_as_soon_as_ever(store: Store) -> None:
    line, relay, clock = _plant(store, Books(), knows_items=False)
    relay.tick()
    (waiting,) = accept(store, move_event("m1"))
    for _ in range(3):  # it goes on waiting for the same, so its state stays as old as it is
        run_once(line)
        clock.pass_time(20)

    clock.pass_time(-HOUR)
    relay.tick()
    know_items(store)
    clock.pass_time(17)
    run_once(line)

    assert states(store, waiting) == ["posted"]


def test_a_lane_in_which_a_call_is_under_way_is_nobody_elses_after_a_clock_was_set_back(store: Store) -> None:
    books = Books()
    line, relay, clock = _plant(store, books)
    relay.tick()
    (first,) = accept(store, move_event("m1"))

    def meanwhile() -> None:
        clock.pass_time(-HOUR)
        relay.tick()
        post_due(replace(line, worker="other"), "P100", 10)

    line = replace(line, adapter_for=lambda _: _During(books, meanwhile))
    run_once(line)

    assert len(books.effects) == 1
    assert states(store, first) == ["posted"]


def test_a_lane_in_which_a_call_is_under_way_is_nobody_elses_after_a_clock_was_put_forward(store: Store) -> None:
    books = Books()
    line, _, clock = _plant(store, books)
    steady = [0.0]
    watch = LeapWatch(clock, lambda: steady[0])
    line = replace(line, leapt_within=watch.leapt_within)
    (first,) = accept(store, move_event("m1"))
    taken_over: list[bool] = []

    def meanwhile() -> None:
        clock.pass_time(HOUR)
        taken_over.append(bool(post_due(replace(line, worker="other"), "P100", 10)))

    run_once(replace(line, adapter_for=lambda _: _During(books, meanwhile)))

    assert taken_over == [False]
    assert len(books.effects) == 1
    assert states(store, first) == ["posted"]


def test_a_lane_that_was_left_is_taken_over_some_time_after_a_leap(store: Store) -> None:
    books = Books()
    books.before = [Killed()]
    line, _, clock = _plant(store, books)
    steady = [0.0]
    line = replace(line, leapt_within=LeapWatch(clock, lambda: steady[0]).leapt_within)
    (left,) = accept(store, move_event("m1"))
    with pytest.raises(Killed):
        run_once(line)

    clock.pass_time(HOUR)
    at_once = run_once(line)
    clock.pass_time(61)
    steady[0] += 61
    later = run_once(line)

    assert (at_once, later) == ([], [left])


def test_a_long_backlog_is_mended_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(set_back, "PORTION", 3)
    _, relay, clock = _plant(store, Books())
    before = accept(store, *(move_event(f"m{number}") for number in range(10)))

    clock.pass_time(-HOUR)
    relay.tick()

    assert {message(store, key).due_at for key in before} == {clock()}


def test_what_is_not_of_another_time_is_left_alone(store: Store) -> None:
    books = Books()
    books.before = [Transient("busy", after_seconds=600)]
    line, _, _ = _plant(store, books)
    accept(store, move_event("m1"), move_event("m2", lot="L"))
    run_once(line)

    assert set_back.mend_after_set_back(line) == 0


class _During(Books):
    """Books in which something happens while each call is under way."""

    def __init__(self, books: Books, act: Callable[[], None]) -> None:
        self._books, self._act = books, act

    def post(self, request: PostingRequest) -> TargetAnswer:
        self._act()
        return self._books.post(request)

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        return self._books.find(request)


def _plant(store: Store, books: Books, knows_items: bool = True) -> tuple[Pipeline, Relay, Clock]:
    if knows_items:
        know_items(store)
    clock = Clock(NOON)
    line = pipeline(store, {"erp": books}, clock)
    return line, Relay(line, NoBroker(), 100), clock
