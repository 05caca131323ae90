"""A target that does not answer is left alone, and its messages lose nothing by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.adapters.base import PostingRequest, TargetAnswer
from app.errors import OutcomeUnknown, Transient
from app.pipeline.context import Pipeline
from app.pipeline.wake_targets import FIRST_PORTION, wake_for_targets
from app.postings.room import try_at_once
from app.store.messages_tables import Message
from app.store.postings_tables import PostingAttempt
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states

pytestmark = pytest.mark.slow


class Away(Books):
    """Answers nobody until it is back; what is ``bad`` it never answers."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True
        self.calls = 0
        self.bad: str | None = None

    def post(self, request: PostingRequest) -> TargetAnswer:
        self.calls += 1
        if self.is_away or (self.bad and request.document["data"].get("lot") == self.bad):
            raise Transient("no connection")
        return super().post(request)


def second(line: Pipeline, clock: Clock, portions: dict[str, int], seconds: float = 1) -> None:
    """What a relay and a worker do in one second."""
    clock.pass_time(seconds)
    wake_for_targets(line, portions)
    run_once(line)


def waits(store: Store, *ids: int) -> int:
    return sum(message(store, key).waiting_for == "target:erp" for key in ids)


def test_a_target_that_fails_again_and_again_is_left_alone_and_no_retry_is_counted(store: Store) -> None:
    books, clock = Away(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}", lot=f"L{n}") for n in range(30)))
    line = pipeline(store, {"erp": books}, clock)

    run_once(line)
    tried = books.calls
    (later,) = accept(store, move_event("later"))
    run_once(line)

    assert tried < 10
    assert books.calls == tried
    untouched = [key for key in (*ids, later) if message(store, key).waiting_for]
    assert later in untouched
    assert {message(store, key).retrying_since for key in untouched} == {None}
    assert "left alone" in (message(store, later).reason or "")


def test_one_posting_at_a_time_sees_whether_the_target_answers_again(store: Store) -> None:
    books, clock, portions = Away(), Clock(NOON), {}
    know_items(store)
    accept(store, *(move_event(f"m{n}") for n in range(30)))
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    before = books.calls

    for _ in range(16):
        second(line, clock, portions)

    # Open for 5 s, then for 10 s: one call after 5 s, one after 15 s.
    assert books.calls - before == 2


def test_an_answer_closes_it_and_the_rest_is_woken_in_portions(store: Store) -> None:
    books, clock, portions = Away(), Clock(NOON), {}
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}", lot=f"L{n}") for n in range(100)))
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    assert waits(store, *ids) > 90
    books.is_away = False

    second(line, clock, portions, 5)
    assert len(books.effects) < 10
    second(line, clock, portions)
    assert FIRST_PORTION <= len(books.effects) <= FIRST_PORTION + 10
    for _ in range(4):
        second(line, clock, portions)

    assert set(states(store, *ids)) == {"posted"}
    assert portions == {}


@pytest.mark.parametrize("error", [Transient("503"), OutcomeUnknown("no answer")])
def test_an_outage_longer_than_the_retries_kills_no_message(store: Store, error: Transient | OutcomeUnknown) -> None:
    books, clock, portions = Books(), Clock(NOON), {}
    books.before = [error] * 500
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}", lot=f"L{n}") for n in range(12)))
    line = pipeline(store, {"erp": books}, clock, give_up_seconds=600)

    for _ in range(30):
        second(line, clock, portions, 60)
    assert set(states(store, *ids)) == {"waiting"}
    books.before = []
    for _ in range(8):
        second(line, clock, portions, 300)

    assert set(states(store, *ids)) == {"posted"}
    assert len(books.effects) == 12


def test_a_document_that_is_never_answered_keeps_no_other_from_the_target(store: Store) -> None:
    books, clock, portions = Away(), Clock(NOON), {}
    know_items(store)
    books.bad = "BAD"
    (bad,) = accept(store, move_event("bad", lot="BAD"))
    line = pipeline(store, {"erp": books}, clock, give_up_seconds=10**6)
    for _ in range(12):
        second(line, clock, portions, 10)
    others = accept(store, *(move_event(f"m{n}") for n in range(5)), at=clock())
    books.is_away = False

    for _ in range(30):
        second(line, clock, portions, 15)

    assert set(states(store, *others)) == {"posted"}
    assert states(store, bad) == ["waiting"]


def test_what_a_target_asks_for_holds_for_all_its_postings(store: Store) -> None:
    books, clock, portions = Books(), Clock(NOON), {}
    books.before = [Transient("429", after_seconds=120)]
    know_items(store)
    (first,) = accept(store, move_event("m1"))
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    (later,) = accept(store, move_event("m2"))

    second(line, clock, portions, 110)
    assert (states(store, first, later), len(books.effects)) == (["waiting", "waiting"], 0)
    for _ in range(3):
        second(line, clock, portions, 11)

    assert states(store, first, later) == ["posted", "posted"]


def test_other_targets_of_the_same_lane_go_on(store: Store) -> None:
    erp, wms, clock = Away(), Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": erp, "wms": wms}, clock)
    both = line.topology.routes
    only_wms = replace(both[1], targets=(replace(both[1].targets[0], target="wms"),))
    accept(store, *(move_event(f"m{n}") for n in range(20)))
    for _ in range(4):
        run_once(line)
        clock.pass_time(1)

    routes = tuple(replace(only_wms, type=route.type) for route in both)
    other = replace(line, topology=replace(line.topology, routes=routes))
    ids = accept(store, *(move_event(f"w{n}") for n in range(20)))
    run_once(other)

    assert set(states(store, *ids)) == {"posted"}


def test_a_person_may_have_it_tried_at_once(store: Store) -> None:
    books, clock, portions = Away(), Clock(NOON), {}
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}") for n in range(8)))
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    books.is_away = False

    second(line, clock, portions)
    early = len(books.effects)
    with store.writing() as session:
        assert try_at_once(session, "erp", clock())
    for _ in range(8):
        second(line, clock, portions)

    assert early == 0
    assert set(states(store, *ids)) == {"posted"}


def test_a_hung_target_costs_few_attempts(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [OutcomeUnknown("no answer within 5 s")] * 1_000
    know_items(store)
    ids = accept(store, *(move_event(f"m{n}", lot=f"L{n}") for n in range(400)))
    line = pipeline(store, {"erp": books}, clock)
    for _ in range(4):
        run_once(line, up_to=200)

    with store.reading() as session:
        attempts = session.scalar(select(func.count()).select_from(PostingAttempt))
        longest = session.scalar(select(func.max(Message.due_at)).where(Message.id.in_(ids)))
    assert attempts is not None
    assert attempts < 20
    assert longest is not None
    assert longest <= clock() + timedelta(hours=1)
