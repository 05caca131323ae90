"""A message whose posting ends its worker ends it a few times, alone, and is dead; its neighbours are posted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import requeue
from app.pipeline.context import Pipeline
from app.store.postings_tables import PostingAttempt
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message, posting_states, states

POISON_AT = "2026-03-02T01:00:00Z"


class Deadly(Books):
    """Ends the worker that posts, or asks for, the document of that time."""

    cured = False

    def __init__(self) -> None:
        super().__init__()
        self.kills = 0

    def post(self, request: PostingRequest) -> TargetAnswer:
        self._may_kill(request)
        return super().post(request)

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        self._may_kill(request)
        return super().find(request)

    def _may_kill(self, request: PostingRequest) -> None:
        if request.document["data"]["event_time"] == POISON_AT and not self.cured:
            self.kills += 1
            raise Killed


def _one_lane(store: Store, books: Books, clock: Clock) -> Pipeline:
    line = pipeline(store, {"erp": books}, clock)
    plants = {code: replace(plant, lanes=1) for code, plant in line.topology.plants.items()}
    return replace(line, topology=replace(line.topology, plants=plants))


def _run(line: Pipeline, clock: Clock, rounds: int) -> None:
    for _ in range(rounds):
        try:
            run_once(line)
        except Killed:
            clock.pass_time(61)
        clock.pass_time(30)


def test_a_posting_that_ends_its_worker_each_time_is_dead_alone(store: Store) -> None:
    books, clock = Deadly(), Clock(NOON)
    know_items(store)
    line = _one_lane(store, books, clock)
    poison, *others = accept(
        store,
        move_event("poison", lot="P", at=POISON_AT),
        *(move_event(f"m{number}", lot=f"L{number}") for number in range(20)),
    )

    _run(line, clock, 40)

    assert states(store, poison) == ["dead"]
    assert message(store, poison).reason_code == "worker_lost"
    assert posting_states(store, poison) == ["unknown"]
    assert set(states(store, *others)) == {"posted"}
    assert len(books.effects) == len(others)
    assert books.kills == 4


def test_what_ended_its_worker_again_and_again_parks_its_own_key_and_is_asked_for_after_a_requeue(store: Store) -> None:
    books, clock = Deadly(), Clock(NOON)
    know_items(store)
    line = _one_lane(store, books, clock)
    poison, behind = accept(
        store, move_event("poison", lot="P", at=POISON_AT), move_event("m2", lot="P", at="2026-03-02T02:00:00Z")
    )
    _run(line, clock, 40)
    parked = (states(store, poison, behind), message(store, behind).waiting_for)

    books.cured = True
    with store.writing() as session:
        requeue(session, [poison], "ada", clock())
    _run(line, clock, 3)

    assert parked == (["dead", "waiting"], "key:P100:lot:P")
    assert states(store, poison, behind) == ["posted", "posted"]
    assert books.asked
    assert len(books.effects) == 2


def test_three_restarts_in_the_midst_of_the_same_posting_kill_no_message(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Killed(), Killed(), Killed()]
    know_items(store)
    line = _one_lane(store, books, clock)
    (moved,) = accept(store, move_event())

    _run(line, clock, 10)

    assert states(store, moved) == ["posted"]
    assert message(store, moved).workers_lost == 0
    assert len(books.effects) == 1


def test_an_attempt_whose_worker_ended_says_so_when_the_message_is_dead(store: Store) -> None:
    books, clock = Deadly(), Clock(NOON)
    know_items(store)
    accept(store, move_event("poison", at=POISON_AT))

    _run(_one_lane(store, books, clock), clock, 20)

    with store.reading() as session:
        outcomes = session.scalars(select(PostingAttempt.outcome).order_by(PostingAttempt.number)).all()
    assert outcomes == [None, None, None, "worker_lost"]


@pytest.mark.parametrize("kills", [1, 3])
def test_those_whose_posting_was_not_under_way_are_no_suspects(store: Store, kills: int) -> None:
    books, clock = Deadly(), Clock(NOON)
    know_items(store)
    line = _one_lane(store, books, clock)
    poison, *others = accept(
        store,
        move_event("poison", lot="P", at=POISON_AT),
        *(move_event(f"m{number}", lot="P", at=f"2026-03-02T{number:02}:00:00Z") for number in range(2, 12)),
    )

    while books.kills <= kills:
        _run(line, clock, 1)

    assert message(store, poison).workers_lost == kills
    assert {message(store, other).workers_lost for other in others} == {0}
