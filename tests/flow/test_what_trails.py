"""A target that is not required holds nothing back: what is made for it trails behind a message that is posted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.adapters.base import PostingRequest, TargetAnswer
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient, Waiting
from app.inbox.wakes import wake
from app.pipeline.outcome import target_reference
from app.postings.pauses import pause_target, resume_target
from app.store.counts import message_counts
from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from tests.fakes import Books, Killed
from tests.flow.reversing import KillingStore
from tests.flow.schedules import unflushed
from tests.flow.trailing import Line, minutes
from tests.reading import message, states

pytestmark = pytest.mark.slow

CANNOT_TELL = Refused("no_search", "The interface has no search.")


def test_a_target_that_is_down_holds_neither_the_message_nor_its_key(store: Store) -> None:
    line = Line(store)
    line.planning.before = [Transient("down")]
    ids = line.accept(1, 2, 3)

    line.work()
    meanwhile = states(store, *ids), minutes(line.erp), minutes(line.planning)
    line.work(3)

    assert meanwhile == (["posted"] * 3, [1, 2, 3], [])
    assert [line.step(key) for key in ids] == [("posted", None)] * 3
    assert minutes(line.planning) == minutes(line.report) == [1, 2, 3]


def test_what_is_required_takes_effect_before_anything_trails(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.erp.before = [Transient("down")]
    line.accept(1)

    line.work()

    assert minutes(line.planning) == []


def test_what_is_required_of_others_waits_for_no_call_that_trails(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.planning.before = [Transient("down")]
    line.accept(1)
    line.work()
    line.accept(2, lot="B")
    taken, held = line.planning.post, []

    def post(request: PostingRequest) -> TargetAnswer:
        held.append(minutes(line.erp))
        return taken(request)

    line.planning.post = post  # type: ignore[method-assign]
    line.work()

    assert held == [[1, 2], [1, 2]]


def test_one_target_that_trails_holds_no_other(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.planning.before = [Transient("down") for _ in range(4)]
    line.accept(1, 2)
    line.work()
    line.accept(3)

    line.work()

    assert (minutes(line.planning), minutes(line.report)) == ([], [1, 2, 3])


def test_in_each_target_the_messages_of_a_key_stay_in_order(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.planning.before = [None, Transient("down"), Transient("down")]
    line.report.before = [Transient("down"), None, None, Transient("down")]
    for number in (1, 2, 3):
        line.accept(number)
        line.work()

    line.work(5)

    assert minutes(line.planning) == minutes(line.report) == [1, 2, 3]


def test_a_later_message_waits_for_an_earlier_one_that_is_not_due(store: Store) -> None:
    line = Line(store)
    line.planning.before = [Transient("down")]
    line.accept(1)
    line.work(seconds=0.5)
    (later,) = line.accept(2)

    line.work(seconds=5)
    held = minutes(line.planning), line.step(later), message(store, later).waiting_for
    line.work(2, seconds=0.5)

    assert held == ([], ("posted", "post"), "trailing:P100:lot:A")
    assert minutes(line.planning) == [1, 2]


def test_a_worker_killed_between_the_required_and_the_trailing_posting_leaves_each_made_once(store: Store) -> None:
    line = Line(store)
    line.planning.before, line.report.after = [Killed()], [Killed()]
    (key,) = line.accept(1)
    line.work(1)
    between = line.step(key), minutes(line.erp)

    line.work(5)

    assert between == (("posted", "post"), [1])
    assert (minutes(line.erp), minutes(line.planning), minutes(line.report)) == ([1], [1], [1])
    assert line.step(key) == ("posted", None)


def test_a_worker_killed_before_any_of_its_commits_leaves_each_posting_made_once(sqlite_store: Store) -> None:
    store, commits, number = unflushed(sqlite_store), 1, 0
    while number <= commits:
        line = Line(store)
        line.report.before = [Transient("down")]
        dying = KillingStore(store, number or None)
        ids = line.accept(1, 2, lot=f"K{number}")
        line.line = replace(line.line, store=dying)

        line.work(5)

        commits = commits if number else dying.begun
        assert [line.step(key) for key in ids] == [("posted", None)] * 2, number
        assert minutes(line.erp) == minutes(line.planning) == minutes(line.report) == [1, 2], number
        number += 1
    assert commits > 6


def test_a_refusal_ends_the_posting_and_the_next_of_the_key_goes_on(store: Store) -> None:
    line = Line(store)
    line.planning.before = [Transient("down"), Refused("no_such_schedule", "No schedule.")]
    first, second = line.accept(1, 2)

    line.work(3)

    refused = line.posting(first)
    assert (refused.state, refused.reason_code, refused.reason) == ("refused", "no_such_schedule", refused.reason)
    assert [line.step(key) for key in (first, second)] == [("posted", None)] * 2
    assert minutes(line.planning) == [2]


@pytest.mark.parametrize(
    ("error", "code"),
    [(Transient("down"), "retries_exhausted"), (Waiting("stock:P100:X", "Short of X."), "waited_too_long")],
)
def test_what_fails_for_too_long_is_refused_and_its_message_stays_posted(
    sqlite_store: Store, error: Transient | Waiting, code: str
) -> None:
    line = Line(sqlite_store, give_up_seconds=300, wait_seconds=300)
    line.planning.before = [error] * 20
    (key,) = line.accept(1)

    line.work(6)

    assert (line.posting(key).state, line.posting(key).reason_code) == ("refused", code)
    assert line.step(key) == ("posted", None)
    assert states(sqlite_store, key) == ["posted"]


def test_the_failures_of_one_target_do_not_shorten_the_time_of_another(sqlite_store: Store) -> None:
    line = Line(sqlite_store, give_up_seconds=300)
    line.planning.before = [Transient("down")] * 20
    line.report.before = [TargetPaused("401")]
    (key,) = line.accept(1)
    line.work(2)
    with sqlite_store.writing() as session:
        resume_target(session, "report")
    line.report.before = [Transient("down")] * 2

    line.work(8)

    assert line.posting(key).reason_code == "retries_exhausted"
    assert line.posting(key, "report").state == "posted"


def test_an_unknown_outcome_is_asked_for_and_never_given_up(sqlite_store: Store) -> None:
    line = Line(sqlite_store, give_up_seconds=300)
    line.planning.after, line.planning.find_raises = [OutcomeUnknown("no answer")], CANNOT_TELL
    first, second = line.accept(1, 2)
    line.work(8)
    asked = len(line.planning.asked)
    meanwhile = line.posting(first).state, line.step(first), minutes(line.planning)
    line.clock.pass_time(3_600)

    line.work(1)
    line.planning.find_raises = None
    line.clock.pass_time(3_600)
    line.work(2)

    assert meanwhile == ("unknown", ("posted", "post"), [1])
    assert len(line.planning.asked) > asked
    assert minutes(line.planning) == [1, 2]
    assert [line.step(key) for key in (first, second)] == [("posted", None)] * 2


def test_a_target_is_not_asked_again_while_it_may_still_work_on_the_call(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.planning.before = [OutcomeUnknown("no answer", after_seconds=900)]
    line.report.before = [TargetPaused("401")]
    line.accept(1)
    line.work(seconds=1)
    with sqlite_store.writing() as session:
        resume_target(session, "report")
        wake(session, [target_reference("report")], line.clock())

    line.work(seconds=1)

    assert (line.planning.asked, minutes(line.planning), minutes(line.report)) == ([], [], [1])


def test_a_paused_target_is_waited_for_and_what_waits_is_woken(store: Store) -> None:
    line = Line(store)
    with store.writing() as session:
        pause_target(session, "planning", "inventory count", line.clock())
    ids = line.accept(1, 2)
    line.work()
    waits = [message(store, key).waiting_for for key in ids]

    with store.writing() as session:
        resume_target(session, "planning")
        wake(session, [target_reference("planning")], line.clock())
    line.work(2, seconds=1)

    assert waits == ["target:planning", "trailing:P100:lot:A"]
    assert minutes(line.planning) == [1, 2]


class Deadly(Books):
    """Ends whoever posts to it or asks it."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        raise Killed

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        raise Killed


def test_a_posting_that_ends_its_workers_is_left_to_people_and_its_message_stays_posted(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    deadly = Deadly()
    given = line.line.adapter_for
    line.line = replace(line.line, adapter_for=lambda code: deadly if code == "planning" else given(code))
    (key,) = line.accept(1)
    (other,) = line.accept(1, lot="B")

    line.work(14)

    assert {line.posting(each).state for each in (key, other)} == {"unknown"}
    assert {line.posting(each).reason_code for each in (key, other)} == {"worker_lost"}
    assert {line.posting(each, "report").state for each in (key, other)} == {"posted"}
    assert [line.step(each) for each in (key, other)] == [("posted", "post")] * 2


def test_a_message_whose_targets_are_all_not_required_is_posted_at_once(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    routes = tuple(replace(one, targets=one.targets[:1]) for one in line.line.topology.routes)
    line.line = replace(line.line, topology=replace(line.line.topology, routes=routes))
    line.planning.before = [Transient("down")]
    (key,) = line.accept(1)

    line.work()

    assert line.step(key) == ("posted", "post")


def test_the_timeline_says_what_follows_and_the_counts_stay_true(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.planning.before = [Transient("down"), Transient("down")]
    (key,) = line.accept(1)
    line.work()
    with sqlite_store.reading() as session:
        before = {names[2]: count for names, count in message_counts(session).items() if count}
    since = message(sqlite_store, key).state_at

    line.work(4)

    query = select(TimelineEntry.note).where(TimelineEntry.message_id == key, TimelineEntry.to_state == "posted")
    with sqlite_store.reading() as session:
        notes = list(session.scalars(query.order_by(TimelineEntry.id)))
        after = {names[2]: count for names, count in message_counts(session).items() if count}
    assert notes == [
        "Not required, and still to be made: planning, report.",
        "down",
        "down",
        "Nothing of it trails any more.",
    ]
    assert before == after == {"posted": 1}
    assert message(sqlite_store, key).state_at == since
