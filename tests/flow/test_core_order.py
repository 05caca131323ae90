"""Order never locks itself up: what must come first gets through, and what is unknown holds only what came after it."""

from __future__ import annotations

from app.dead_letters.repair import requeue
from app.errors import Refused, TargetPaused, Transient
from app.inbox.wakes import wake
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.postings.pauses import resume_target
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states, timeline


def _run_for(line: object, clock: Clock, rounds: int = 8, seconds: float = 60) -> None:
    for _ in range(rounds):
        run_once(line)  # type: ignore[arg-type]
        clock.pass_time(seconds)


def test_a_release_is_not_held_by_a_completion_of_an_earlier_time_that_waits_for_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    (early,) = accept(store, completion(at="2026-03-02T07:00:00Z"))
    run_once(line)

    (released,) = accept(store, release(at="2026-03-02T08:00:00Z"))
    _run_for(line, clock)

    assert states(store, released, early) == ["posted", "posted"]
    assert [document["type"] for document in books.documents] == [
        "production.order.released.v1",
        "production.completed.v1",
    ]


def test_a_release_passes_those_that_wait_behind_a_completion_that_waits_for_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    key = {"ordering_key": "line-7", "attributes": {"partitionkey": "line-7"}}
    (waits,) = accept(store, completion("c1", sequence="1", **key))
    (behind,) = accept(store, move_event("m2", sequence="2", **key))
    run_once(line)
    (released,) = accept(store, release(sequence="3", **key))
    _run_for(line, clock)

    assert states(store, released, waits, behind) == ["posted", "posted", "posted"]
    assert [document["type"].split(".")[1] for document in books.documents] == ["order", "completed", "moved"]


def test_what_comes_before_the_waiting_completion_still_comes_before_the_release(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("busy", after_seconds=100)]
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    key = {"ordering_key": "line-7", "attributes": {"partitionkey": "line-7"}}
    accept(store, move_event("m1", sequence="1", **key))
    accept(store, completion("c2", sequence="2", **key))
    accept(store, release(sequence="3", **key))

    _run_for(line, clock)

    assert [document["type"].split(".")[1] for document in books.documents] == ["moved", "order", "completed"]


def test_a_dead_message_of_unknown_place_holds_what_came_after_it_and_not_before(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    key = {"ordering_key": "K", "attributes": {"partitionkey": "K"}}
    books.before = [Transient("busy")]
    line = pipeline(store, {"erp": books}, clock)
    (first,) = accept(store, move_event("m1", at="2026-03-02T08:00:00Z", **key))
    run_once(line)

    (bad, after) = accept(
        store,
        move_event("m2", type="no.such.type", **key),
        move_event("m3", at="2026-03-02T09:00:00Z", **key),
    )
    _run_for(line, clock)

    assert states(store, first, bad, after) == ["posted", "dead", "waiting"]


def test_a_dead_message_holds_by_its_sequence_though_it_was_never_transformed(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    key = {"ordering_key": "K", "attributes": {"partitionkey": "K"}}
    line = pipeline(store, {"erp": books}, clock)

    (dead, before, after) = accept(
        store,
        move_event("m2", type="no.such.type", sequence="2", **key),
        move_event("m1", sequence="1", **key),
        move_event("m3", sequence="3", **key),
    )
    _run_for(line, clock)

    assert states(store, dead, before, after) == ["dead", "posted", "waiting"]


def test_a_wake_up_in_the_midst_of_a_look_is_not_lost(store: Store, monkeypatch: object) -> None:
    """A worker looks for the item; the item arrives and wakes whom it finds; only then the worker writes 'waits'."""
    import pytest

    import app.pipeline.enrich as step

    books, clock = Books(), Clock(NOON)
    line = pipeline(store, {"erp": books}, clock)
    (early,) = accept(store, move_event())
    for _ in range(11):
        run_once(line)
        clock.pass_time(301)

    def look_then_arrive(session: object, plant: str, events: object) -> object:
        found = load_facts(session, plant, events)  # type: ignore[arg-type]
        know_items(store)
        with store.writing() as other:
            wake(other, ["item:WHEEL-10"], clock())
        return found

    load_facts = step.load_facts
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(step, "load_facts", look_then_arrive)
        enrich_due(line, "P100", 10)
    clock.pass_time(1)
    run_once(line)

    assert states(store, early) == ["posted"]


def test_looking_again_leaves_no_rows_in_the_timeline(store: Store) -> None:
    """Thousands may wait for days behind a dead letter or a paused target; each look is no news."""
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("bad", "No.")]
    know_items(store)
    _, behind = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books}, clock)

    _run_for(line, clock, rounds=30, seconds=4_000)

    assert timeline(store, behind) == ["received", "transformed", "enriched", "waiting"]


def test_time_spent_behind_a_paused_target_does_not_count_as_retries(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [TargetPaused("401"), Transient("429")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    clock.pass_time(3 * 86_400)

    with store.writing() as session:
        resume_target(session, "erp")
        wake(session, ["target:erp"], clock())
    run_once(line)
    after = states(store, moved)
    clock.pass_time(600)
    run_once(line)

    assert after == ["waiting"]
    assert states(store, moved) == ["posted"]


def test_time_spent_behind_a_dead_letter_does_not_count_as_retries(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("bad", "No."), None, Transient("429")]
    know_items(store)
    first, second = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    clock.pass_time(3 * 86_400)

    with store.writing() as session:
        requeue(session, [first], "ada", clock())
    _run_for(line, clock, rounds=6, seconds=301)

    assert states(store, first, second) == ["posted", "posted"]


def test_lanes_that_may_not_go_on_yet_do_not_hide_one_that_may(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    (ready,) = accept(store, move_event("r"))
    transform_due(line, "P100", 1)
    enrich_due(line, "P100", 1)
    (_,) = accept(store, move_event("untransformed"))
    later = accept(store, *(move_event(f"l{n}") for n in range(20)))
    _transform_only(store, later, clock)

    posted = post_due(line, "P100", 25)

    assert posted == [ready]
    assert message(store, later[0]).state == "enriched"


def _transform_only(store: Store, ids: list[int], clock: Clock) -> None:
    from sqlalchemy import update

    from app.store.messages_tables import Message

    with store.writing() as session:
        for key in ids:
            lane = 1 + key % 4
            values = {"state": "enriched", "step": "post", "lane": lane, "due_at": NOON}
            session.execute(update(Message).where(Message.id == key).values(**values))
