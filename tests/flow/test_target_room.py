"""Calls to a target are counted for all workers together, and nobody waits for one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from app.adapters.base import PostingRequest, TargetAnswer
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.postings.room import give_back_room, hold_room, take_room, wish_for_room
from app.store.postings_tables import PostingAttempt
from app.store.session import Store
from app.store.target_tables import TargetState
from config.topology import Rate, Target
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message, states

pytestmark = pytest.mark.slow

ERP = Target("erp", "ERP", "fake", "echo", timeout_seconds=5, calls_in_flight=4)


class Watched(Books):
    """Counts how many calls are under way at a time, each of which lasts until ``enough`` says so."""

    def __init__(self, enough: Callable[[], bool]) -> None:
        super().__init__()
        self.under_way = self.most = 0
        self.enough = enough
        self.changed = threading.Condition()

    def post(self, request: PostingRequest) -> TargetAnswer:
        with self.changed:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            self.changed.wait_for(self.enough, timeout=0.05)
        answer = super().post(request)
        with self.changed:
            self.under_way -= 1
        return answer


def with_target(line: Pipeline, **values: Any) -> Pipeline:
    targets = {code: replace(target, **values) for code, target in line.topology.targets.items()}
    return replace(line, topology=replace(line.topology, targets=targets))


def take(store: Store, target: Target, plant: str, holder: str, clock: Clock, wanted: int = 99) -> int:
    """Take as much room as there is; returns how many calls that is."""
    with store.writing() as session:
        rooms, known = hold_room(session, {"erp": target}, {}, plant, clock())
        room = rooms["erp"]
        calls = max(0, min(wanted, room.calls, 99 if room.postings is None else room.postings))
        if calls:
            until = clock() + timedelta(seconds=20)
            take_room(session, known, {"erp": calls}, {"erp": calls}, holder, plant, until)
        return calls


def test_two_workers_together_make_no_more_calls_than_the_target_takes(store: Store) -> None:
    books = Watched(lambda: False)
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}", lot=f"L{n}") for n in range(40)))
    line = pipeline(store, {"erp": books})
    lines = [replace(line, worker=f"worker-{n}") for n in range(3)]
    transform_due(line, "P100", 100)
    enrich_due(line, "P100", 100)

    with ThreadPoolExecutor(3) as pool:
        while set(states(store, *ids)) != {"posted"}:
            list(pool.map(lambda one: post_due(one, "P100", 40), lines))

    assert 1 < books.most <= 4
    assert len(books.effects) == 40


def test_where_there_is_no_room_a_lane_is_let_go_at_once_and_nothing_is_tried(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    target = line.topology.targets["erp"]
    assert take(store, target, "P200", "another", clock) == 4

    assert run_once(line) == []

    found = message(store, moved)
    with store.reading() as session:
        attempts = session.scalar(select(func.count()).select_from(PostingAttempt))
    assert (found.state, found.attempts, found.lease_token, attempts) == ("enriched", 0, None, 0)
    with store.writing() as session:
        give_back_room(session, "another")
    assert run_once(line) == [moved]


def test_what_a_killed_worker_held_ends_by_itself(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Killed()]
    know_items(store)
    accept(store, move_event())
    line = with_target(pipeline(store, {"erp": books}, clock), calls_in_flight=1)
    with pytest.raises(Killed):
        run_once(line)
    target = line.topology.targets["erp"]

    assert take(store, target, "P100", "another", clock) == 0
    clock.pass_time(21)
    assert take(store, target, "P100", "another", clock) == 1


def test_a_plant_that_found_no_room_is_left_a_call_from_then_on(store: Store) -> None:
    clock = Clock(NOON)
    assert take(store, ERP, "P100", "busy", clock) == 4
    assert take(store, ERP, "P200", "waits", clock) == 0
    with store.writing() as session:
        wish_for_room(session, ["erp"], "P200", clock())

    with store.writing() as session:
        give_back_room(session, "busy")
    assert take(store, ERP, "P100", "busy", clock) == 3
    assert take(store, ERP, "P100", "busy too", clock) == 0
    assert take(store, ERP, "P200", "waits", clock) == 1


def test_a_rate_holds_for_all_workers_and_what_is_too_much_is_due_when_it_may_be(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}") for n in range(10)))
    line = with_target(pipeline(store, {"erp": books}, clock), rate=Rate(per_second=0.5, burst=3))

    run_once(line)
    assert len(books.effects) == 3
    for _ in range(4):
        clock.pass_time(1)
        run_once(line)
    assert len(books.effects) == 5
    clock.pass_time(3_600)
    for _ in range(3):
        run_once(line)
        clock.pass_time(6)

    assert set(states(store, *ids)) == {"posted"}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(0.1, 50),
    st.integers(1, 20),
    st.lists(st.tuples(st.booleans(), st.floats(-5, 20), st.integers(1, 9)), min_size=1, max_size=30),
)
def test_two_workers_never_get_more_than_the_bucket_gives(
    store: Store, per_second: float, burst: int, steps: list[tuple[bool, float, int]]
) -> None:
    """``steps``: which of two workers, how much time passes (a clock may be set back), how many postings it wants."""
    target = replace(ERP, calls_in_flight=99, rate=Rate(per_second, burst))
    other, clock = Store(store.url), Clock(NOON)
    with store.writing() as session:
        session.execute(delete(TargetState))
    taken, forward = 0, 0.0
    for number, (which, seconds, wanted) in enumerate(steps):
        clock.pass_time(seconds)
        forward += max(0.0, seconds)
        worker = other if which else store
        taken += take(worker, target, "P100", f"w{number}", clock, wanted)
        with worker.writing() as session:
            give_back_room(session, f"w{number}")
    other.dispose()

    assert taken <= burst + per_second * forward + 1e-6
