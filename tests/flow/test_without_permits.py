"""What is due is worked on though nobody sends a permit for it, and a plant that hangs holds no other."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.exc import OperationalError

from app.inbox.states import Step
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.pipeline.without_permits import WithoutPermits
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import states

ALL = {Step.TRANSFORM: transform_due, Step.ENRICH: enrich_due, Step.POST: post_due}


class Time:
    """The wall clock of a pipeline and the steady one beside it, turned together."""

    def __init__(self) -> None:
        self.wall, self.steady = Clock(NOON), 0.0

    def pass_time(self, seconds: float) -> None:
        self.wall.pass_time(seconds)
        self.steady += seconds


def _without_permits(store: Store, time: Time, steps: object = None, plants_at_once: int = 2) -> WithoutPermits:
    know_items(store)
    line = pipeline(store, {"erp": Books()}, time.wall)
    return WithoutPermits(line, steps or ALL, 100, plants_at_once, lambda: time.steady)  # type: ignore[arg-type]


def _look(without: WithoutPermits) -> None:
    without.look()
    without.wait()


def test_what_is_due_is_worked_on_after_some_seconds_without_a_permit(store: Store) -> None:
    time = Time()
    without = _without_permits(store, time)
    (first,) = accept(store, move_event("m1"))

    _look(without)
    at_once = states(store, first)
    time.pass_time(6)
    _look(without)

    assert (at_once, states(store, first)) == (["received"], ["posted"])


def test_while_permits_come_it_does_nothing(store: Store) -> None:
    time = Time()
    without = _without_permits(store, time)
    (first,) = accept(store, move_event("m1"))

    for _ in range(4):
        time.pass_time(4)
        without.permit_came()
        _look(without)

    assert states(store, first) == ["received"]


def test_without_permits_and_without_anything_due_it_stays_as_patient_as_it_was(store: Store) -> None:
    time = Time()
    without = _without_permits(store, time)

    time.pass_time(60)
    _look(without)

    assert not without.silent


def test_a_plant_that_hangs_holds_no_other(store: Store) -> None:
    time, release, seen = Time(), threading.Event(), []

    def hangs_for_one(line: Pipeline, plant: str, up_to: int) -> Sequence[int]:
        if plant == "P100":
            release.wait(20)
        seen.append(plant)
        return transform_due(line, plant, up_to)

    without = _without_permits(store, time, {Step.TRANSFORM: hangs_for_one})
    accept(store, move_event("m1"), move_event("m2", plant="P200"))
    (other,) = accept(store, move_event("m3", plant="P200"))

    time.pass_time(6)
    for _ in range(8):
        without.look()
        _end_of_others(without)
    still = states(store, other)
    release.set()
    without.wait()

    assert still == ["transformed"]
    assert seen[-1] == "P100"


def _end_of_others(without: WithoutPermits) -> None:
    for plant, thread in without._working.items():
        if plant != "P100":
            thread.join(10)


def test_a_database_that_is_away_ends_nothing(store: Store) -> None:
    time, failures = Time(), [OperationalError("SELECT 1", {}, Exception("away"))]

    def fails_once(line: Pipeline, plant: str, up_to: int) -> Sequence[int]:
        if failures:
            raise failures.pop()
        return transform_due(line, plant, up_to)

    without = _without_permits(store, time, {Step.TRANSFORM: fails_once}, plants_at_once=3)
    (first,) = accept(store, move_event("m1"))

    time.pass_time(6)
    _look(without)
    _look(without)

    assert states(store, first) == ["transformed"]


def test_what_a_permit_works_on_at_the_same_time_takes_effect_once(store: Store) -> None:
    time = Time()
    without = _without_permits(store, time)
    books = Books()
    line = replace(without.pipeline, adapter_for=lambda _: books)
    without.pipeline = line
    ids = accept(store, *(move_event(f"m{number}") for number in range(20)))
    time.pass_time(6)

    without.look()
    run_once(line)
    without.wait()
    time.pass_time(61)
    run_once(line)

    assert set(states(store, *ids)) == {"posted"}
    assert len(books.effects) == 20


def test_a_permit_ends_a_silence(sqlite_store: Store) -> None:
    time = Time()
    without = _without_permits(sqlite_store, time)
    accept(sqlite_store, move_event("m1"))
    time.pass_time(6)
    _look(without)
    was = without.silent

    without.permit_came()

    assert (was, without.silent) == (True, False)
