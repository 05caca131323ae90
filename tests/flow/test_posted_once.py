"""A message has its effect in a target exactly once, whatever happens around the call."""

from __future__ import annotations

import pytest

from app.adapters.base import PostingRequest, TargetAnswer
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient
from app.pipeline.post import post_due
from app.postings.pauses import resume_target
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock, Killed
from tests.reading import message, posting_states, states, timeline


def test_an_accepted_message_ends_posted_with_every_step_in_its_timeline(store: Store) -> None:
    books = Books()
    know_items(store)
    (moved,) = accept(store, move_event())

    posted = run_once(pipeline(store, {"erp": books}))

    assert posted == [moved]
    assert timeline(store, moved) == ["received", "transformed", "enriched", "posted"]
    assert books.documents[0]["data"]["quantity"] == {"value": "2", "uom": "EA"}


def test_a_permit_that_comes_twice_posts_nothing_twice(store: Store) -> None:
    books = Books()
    know_items(store)
    accept(store, move_event())
    line = pipeline(store, {"erp": books})

    run_once(line)
    run_once(line)

    assert len(books.effects) == 1


def test_an_unknown_outcome_is_asked_for_and_not_sent_again_when_found(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.after = [OutcomeUnknown("no answer within 5 s")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)

    run_once(line)
    before = posting_states(store, moved)
    clock.pass_time(120)
    run_once(line)

    assert before == ["unknown"]
    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1
    assert len(books.asked) == 1


def test_an_unknown_outcome_is_sent_again_when_the_target_certainly_has_nothing(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [OutcomeUnknown("connection lost")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)

    run_once(line)
    clock.pass_time(120)
    run_once(line)

    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1


@pytest.mark.parametrize("busy", [Transient("429", after_seconds=900), OutcomeUnknown("502", 900)])
def test_a_target_that_is_busy_when_it_is_asked_is_asked_again_when_it_wants(
    sqlite_store: Store, busy: Transient | OutcomeUnknown
) -> None:
    books, clock = Books(), Clock(NOON)
    books.after = [OutcomeUnknown("no answer")]
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event())
    line = pipeline(sqlite_store, {"erp": books}, clock)
    run_once(line)
    books.find_raises = busy
    clock.pass_time(60)
    run_once(line)

    books.find_raises = None
    clock.pass_time(890)
    run_once(line)
    early = len(books.asked)
    clock.pass_time(20)
    run_once(line)

    assert (early, len(books.asked), len(books.effects)) == (1, 2, 1)
    assert states(sqlite_store, moved) == ["posted"]


def test_what_the_target_cannot_tell_stays_unknown_and_is_not_sent(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.after = [OutcomeUnknown("no answer")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)

    books.find_raises = Transient("503")
    clock.pass_time(120)
    run_once(line)

    assert posting_states(store, moved) == ["unknown"]
    assert len(books.effects) == 1


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_killed_around_the_call_leaves_one_effect(store: Store, when: str) -> None:
    books, clock = Books(), Clock(NOON)
    getattr(books, when).append(Killed())
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    with pytest.raises(Killed):
        run_once(line)

    clock.pass_time(120)
    run_once(line)

    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1


def test_nobody_else_posts_while_a_lane_is_held(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Killed()]
    know_items(store)
    accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    with pytest.raises(Killed):
        run_once(line)

    clock.pass_time(3)
    post_due(line, "P100", 10)

    assert books.effects == []
    assert books.asked == []


def test_a_refusal_is_never_retried_and_gives_its_reason(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("period_closed", "The period is closed.")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)

    run_once(line)
    clock.pass_time(7_200)
    run_once(line)

    found = message(store, moved)
    assert (found.state, found.reason_code, found.reason) == ("dead", "period_closed", "erp: The period is closed.")
    assert posting_states(store, moved) == ["refused"]
    assert books.effects == []


def test_a_refusal_by_an_optional_target_does_not_stop_the_message(store: Store) -> None:
    erp, planning = Books(), Books()
    planning.before = [Refused("no_such_schedule", "No schedule.")]
    know_items(store)
    (moved,) = accept(store, move_event())

    run_once(pipeline(store, {"planning": planning, "erp": erp}, optional=("planning",)))

    assert states(store, moved) == ["posted"]
    assert posting_states(store, moved) == ["posted", "refused"]


def test_an_optional_target_that_is_down_keeps_no_required_posting_of_its_message_waiting(sqlite_store: Store) -> None:
    erp, planning, wms = Books(), Books(), Books()
    planning.before = [Transient("down") for _ in range(9)]
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event())

    run_once(pipeline(sqlite_store, {"planning": planning, "erp": erp, "wms": wms}, optional=("planning",)))

    assert posting_states(sqlite_store, moved) == ["posted", "posted", "planned"]
    assert [len(books.effects) for books in (erp, wms, planning)] == [1, 1, 0]
    assert states(sqlite_store, moved) == ["posted"]


def test_a_transient_failure_is_tried_again_when_it_is_due_and_not_before(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("429", after_seconds=30)]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)

    clock.pass_time(29)
    run_once(line)
    early = states(store, moved)
    clock.pass_time(2)
    run_once(line)

    assert early == ["waiting"]
    assert states(store, moved) == ["posted"]


class OneNeverTaken(Books):
    """Takes every document but that of one lot, which it fails on again and again."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        if request.document["data"].get("lot") == "BAD":
            raise Transient("HTTP 500")
        return super().post(request)


def test_retries_end_in_a_dead_letter_that_says_how_long_it_tried(store: Store) -> None:
    books, clock = OneNeverTaken(), Clock(NOON)
    know_items(store)
    (moved,) = accept(store, move_event(lot="BAD"))
    line = pipeline(store, {"erp": books}, clock, give_up_seconds=600)

    for number in range(100):
        run_once(line)
        accept(store, move_event(f"other-{number}"))
        clock.pass_time(60)
        if states(store, moved) == ["dead"]:
            break

    found = message(store, moved)
    assert found.reason_code == "retries_exhausted"
    assert "Gave up after" in (found.reason or "")


def test_rejected_credentials_pause_the_target_and_kill_no_message(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [TargetPaused("401: the key is not valid")]
    know_items(store)
    first, second = accept(store, move_event("m1", lot="A"), move_event("m2", lot="A"))
    line = pipeline(store, {"erp": books}, clock)

    run_once(line)
    (later,) = accept(store, move_event("m3", lot="B"))
    clock.pass_time(400)
    run_once(line)

    assert states(store, first, second, later) == ["waiting", "waiting", "waiting"]
    assert message(store, first).waiting_for == message(store, later).waiting_for == "target:erp"
    assert books.effects == []


def test_a_resumed_target_gets_what_waited_for_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [TargetPaused("401: the key is not valid")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)

    with store.writing() as session:
        resume_target(session, "erp")
    clock.pass_time(400)
    run_once(line)

    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1


def test_a_message_with_three_targets_stops_at_the_one_that_fails_and_goes_on_there(store: Store) -> None:
    erp, wms, planning = Books(), Books(), Books()
    clock = Clock(NOON)
    wms.before = [Transient("busy")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": erp, "wms": wms, "planning": planning}, clock)

    run_once(line)
    half_way = posting_states(store, moved)
    clock.pass_time(120)
    run_once(line)

    assert half_way == ["posted", "planned", "planned"]
    assert [len(books.effects) for books in (erp, wms, planning)] == [1, 1, 1]


def test_a_message_that_fails_leaves_the_others_of_its_batch_alone(store: Store) -> None:
    books = Books()
    know_items(store)
    ids = accept(
        store,
        release(),
        move_event("bad", type="no.such.type"),
        completion("c1"),
        move_event("m2"),
    )

    run_once(pipeline(store, {"erp": books}))
    run_once(pipeline(store, {"erp": books}))

    assert states(store, ids[0], ids[1], ids[3]) == ["posted", "dead", "posted"]
    assert message(store, ids[1]).reason_code == "type_unmapped"
