"""What comes one by one to several lanes is posted in one visit, where the plant's targets answer quickly."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from app.adapters.base import PostingRequest, TargetAnswer
from app.inbox.order import lane_number
from app.pipeline import post
from app.pipeline.calls import post_wave
from app.pipeline.context import Pipeline
from app.pipeline.straight_on import transform_straight_on
from app.pipeline.visit import LanesLost, hold_lanes
from app.pipeline.wave import commit_and_choose
from app.store.messages_tables import Lane, Message
from app.store.postings_tables import Posting
from app.store.session import Store
from config.topology import Rate
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import states

LANES = 4


def lot_of(lane: int) -> str:
    """A lot whose key is in this lane."""
    return next(lot for lot in map(str, range(1_000)) if lane_number(f"lot:{lot}", 0, LANES) == lane)


def one_for_each_lane(store: Store) -> list[int]:
    return accept(store, *(move_event(f"m{lane}", lot_of(lane)) for lane in range(1, LANES + 1)))


def known(line: Pipeline, seconds: float) -> Pipeline:
    """Its target has answered in this time."""
    line.pace.note("erp", seconds)
    return line


def held(store: Store) -> int:
    with store.reading() as session:
        query = select(func.count()).select_from(Lane).where(Lane.lease_token.is_not(None))
        return session.scalar(query) or 0


def visits(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The lanes of each visit, as they are made."""
    made: list[list[int]] = []
    real = post.hold_and_choose

    def told(*arguments: Any) -> Any:
        found = real(*arguments)
        if found is not None:
            made.append(sorted({message.lane for message in found[0].messages.values()}))
        return found

    monkeypatch.setattr(post, "hold_and_choose", told)
    return made


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0.01, [[1, 2, 3, 4]]), (60.0, [[1], [2], [3], [4]])], ids=["quick", "slow"]
)
def test_lanes_are_held_together_where_the_target_answers_quickly(
    store: Store, monkeypatch: pytest.MonkeyPatch, seconds: float, expected: list[list[int]]
) -> None:
    know_items(store)
    made = visits(monkeypatch)
    ids = one_for_each_lane(store)

    run_once(known(pipeline(store, {"erp": Books()}), seconds))

    assert states(store, *ids) == ["posted"] * LANES
    assert sorted(made) == expected
    assert held(store) == 0


def test_a_lane_is_let_go_as_soon_as_nothing_is_left_in_it(store: Store) -> None:
    class Watching(Books):
        def post(self, request: PostingRequest) -> TargetAnswer:
            seen.append(held(store))
            return super().post(request)

    seen: list[int] = []
    know_items(store)
    times = ["09", "10", "11"]
    accept(store, *(move_event(f"a{at}", lot_of(1), f"2026-03-02T{at}:00:00Z") for at in times))
    accept(store, move_event("b", lot_of(2)))

    run_once(known(pipeline(store, {"erp": Watching()}), 0.01))

    assert sorted(seen, reverse=True) == [2, 2, 1, 1]


def test_one_lane_lost_is_the_whole_visit_lost_and_nothing_is_posted_twice(store: Store) -> None:
    clock, books = Clock(NOON), Books()
    know_items(store)
    ids = one_for_each_lane(store)
    line = known(pipeline(store, {"erp": books}, clock), 0.01)

    class TakenMeanwhile(Books):
        def post(self, request: PostingRequest) -> TargetAnswer:
            with taking:
                if not books.effects:
                    clock.pass_time(600)
                    other = hold_lanes(pipeline(store, {"erp": books}, clock), "P100", 1)
                    assert other is not None
                    assert len(other.lanes) == 1
                return books.post(request)

    taking = threading.Lock()
    slow = known(pipeline(store, {"erp": TakenMeanwhile()}, clock), 0.01)
    transform_straight_on(slow, "P100", 100)
    found = post.hold_and_choose(slow, "P100", 100)
    assert found is not None
    visit, wave = found
    assert wave is not None
    post_wave(slow, wave.postings, wave.calls, wave.start_by)
    with pytest.raises(LanesLost):
        commit_and_choose(slow, visit)
    assert states(store, *ids) == ["enriched"] * LANES

    clock.pass_time(600)
    run_once(line)

    assert states(store, *ids) == ["posted"] * LANES
    assert len(books.documents) == LANES


def test_after_a_worker_ended_only_the_messages_with_a_call_under_way_are_suspects(store: Store) -> None:
    """In whichever of its lanes: the target lets one call begin, and the other lane has none of its own."""
    clock, books = Clock(NOON), Books()
    know_items(store)
    accept(store, *(move_event(f"{lane}-{n}", lot_of(lane)) for lane in (1, 2) for n in range(10)))
    line = known(pipeline(store, {"erp": books}, clock), 0.01)
    target = replace(line.topology.targets["erp"], rate=Rate(per_second=1, burst=1))
    line = replace(line, topology=replace(line.topology, targets={"erp": target}))
    books.before = [Killed()]
    with pytest.raises(Killed):
        run_once(line)

    clock.pass_time(600)
    visit = hold_lanes(line, "P100", 100)

    assert visit is not None
    with store.reading() as session:
        query = select(Message.id).where(
            (Message.workers_lost > 0) | (Message.lease_token.is_not(None) & (Message.lease_token != visit.token))
        )
        suspects = session.scalars(query).all()
        (under_way,) = session.scalars(select(Posting.message_id).where(Posting.state == "sending")).all()
    assert suspects == [under_way]
