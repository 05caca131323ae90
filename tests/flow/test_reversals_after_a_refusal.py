"""When a required target refuses for good, what the others hold is reversed: once, newest first, and told."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import update

from app.dead_letters.repair import DeadLetterError, correct, discard
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient
from app.inbox.lookup import find_message, tell_story
from app.inbox.wakes import wake
from app.pipeline.outcome import target_reference
from app.postings.pauses import resume_target
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import accept, move_event
from tests.fakes import Killed
from tests.flow.reversing import BLOCKED, Plant
from tests.reading import message, states, timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def plant(store: Store) -> Plant:
    return Plant(store)


def test_what_the_earlier_targets_hold_is_reversed_and_the_message_is_dead_with_both_told(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]

    plant.work()

    assert plant.state == "dead"
    assert plant.reason == (
        "lot_blocked: planning: The lot is blocked. Reversed: wms document doc-1 reversed as doc-2; "
        "erp document doc-1 reversed as doc-2."
    )
    assert plant.net() == [0, 0, 0]
    assert [posting.state for posting in plant.postings(reversals=False)] == ["compensated", "compensated", "refused"]


def test_the_newest_is_reversed_first(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.wms.before_reversal = [Transient("busy")]

    plant.work(1)

    assert [(p.target, p.state) for p in plant.postings(reversals=True)] == [("wms", "planned"), ("erp", "planned")]
    assert plant.net() == [1, 1, 0]


def test_a_reversal_is_told_under_its_original_with_its_proof(plant: Plant) -> None:
    plant.wms.before = [BLOCKED]

    plant.work()

    with plant.store.reading() as session:
        found = find_message(session, plant.id)
        assert found is not None
        first, second, third = tell_story(session, found).postings
    assert first.reversal is not None
    assert (first.reversal.posting.reference, first.reversal.posting.state) == ("doc-2", "posted")
    assert [attempt.outcome for attempt in first.reversal.attempts] == ["reversed"]
    assert first.reversal.posting.posting_key != first.posting.posting_key
    assert second.reversal is None
    assert third.reversal is None


def test_what_an_optional_target_holds_is_reversed_too(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store, optional=("erp",))
    plant.work()
    plant.order()

    plant.work()

    assert plant.state == "compensated"
    assert plant.net() == [0, 0, 0]


def test_a_refusal_of_the_first_target_reverses_nothing(plant: Plant) -> None:
    plant.erp.before = [BLOCKED]

    plant.work()

    assert plant.state == "dead"
    assert plant.counts() == [0, 0, 0]
    assert timeline(plant.store, plant.id)[-2:] == ["enriched", "dead"]


def test_a_message_that_gave_up_on_a_target_is_dead_and_nothing_is_reversed(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store, give_up_seconds=100)
    plant.wms.before = [Transient("down") for _ in range(20)]

    plant.work(6)

    assert plant.reason.startswith("retries_exhausted")
    assert plant.net() == [1, 0, 0]


def test_a_target_that_the_topology_lost_is_a_refusal_of_ours_and_reverses_nothing(plant: Plant) -> None:
    plant.wms.before = [Transient("busy")]
    plant.work(1)
    topology = plant.line.topology
    targets = {code: target for code, target in topology.targets.items() if code != "wms"}
    plant.line = replace(plant.line, topology=replace(topology, targets=targets))

    plant.work()

    assert plant.reason.startswith("not_in_topology")
    assert plant.net() == [1, 0, 0]


AROUND = [
    (when, what)
    for when in ("before_reversal", "after_reversal")
    for what in (Killed(), OutcomeUnknown("no answer"), Transient("busy"), KeyError("id"))
    if (when, type(what)) != ("after_reversal", Transient)
]


@pytest.mark.parametrize(("when", "what"), AROUND)
def test_whatever_happens_around_a_reversal_it_is_made_once(plant: Plant, when: str, what: BaseException) -> None:
    plant.planning.before = [BLOCKED]
    getattr(plant.wms, when).append(what)
    getattr(plant.erp, when).append(what)

    for _ in range(8):
        plant.work(1)
        if plant.reason.startswith("internal_error"):
            plant.requeue()

    assert plant.reason.startswith("lot_blocked")
    assert plant.net() == [0, 0, 0]
    assert plant.counts() == [2, 2, 0]


@pytest.mark.slow
def test_a_worker_killed_before_any_of_its_commits_leaves_each_reversal_made_once(store: Store) -> None:
    commits = 1
    for number in range(20):
        plant = Plant(store, f"m{number}")
        plant.planning.before = [BLOCKED, BLOCKED]
        if number > commits:
            break

        begun = plant.killed_at(number or None)
        commits = commits if number else begun

        assert plant.net() == [0, 0, 0], number
        assert plant.reason.startswith("lot_blocked"), number
    assert commits > 8


def test_a_reversal_waits_for_a_paused_target_and_goes_on_when_it_is_resumed(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.wms.before_reversal = [TargetPaused("401")]

    plant.work()
    waits_for = message(plant.store, plant.id).waiting_for
    with plant.store.writing() as session:
        resume_target(session, "wms")
        wake(session, [target_reference("wms")], plant.clock())
    plant.work()

    assert waits_for == "target:wms"
    assert plant.net() == [0, 0, 0]


def test_a_refused_reversal_is_dead_with_its_own_reason_and_a_requeue_goes_on_with_it(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.wms.before_reversal = [Refused("target_refused", "The document is locked.")]

    plant.work()
    reason = plant.reason
    net = plant.net()
    plant.requeue()
    plant.work()

    assert reason == (
        "reversal_refused: wms did not reverse its document doc-1: The document is locked. "
        "Mend it there, then requeue: the reversal goes on."
    )
    assert net == [1, 1, 0]
    assert plant.reason.startswith("lot_blocked")
    assert plant.net() == [0, 0, 0]


def test_what_is_half_reversed_can_be_neither_discarded_nor_corrected(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.erp.before_reversal = [Refused("target_refused", "The document is locked.")]
    plant.work()

    with plant.store.writing() as session, pytest.raises(DeadLetterError):
        discard(session, [plant.id], "ada", "not needed", plant.clock())
    with plant.store.writing() as session, pytest.raises(DeadLetterError):
        correct(session, plant.id, b"{}", "ada", plant.clock())


def test_after_a_reversal_a_requeue_posts_everything_anew_under_new_keys(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.work()

    plant.requeue()
    plant.work()

    assert plant.state == "posted"
    assert plant.net() == [1, 1, 1]
    keys = [p.posting_key for p in plant.postings(reversals=False)]
    assert len(set(keys)) == 6
    assert [p.generation for p in plant.postings(reversals=False)] == [0, 0, 0, 1, 1, 1]


def test_a_second_refusal_reverses_the_second_generation(plant: Plant) -> None:
    plant.planning.before = [BLOCKED, BLOCKED]
    plant.work()

    plant.requeue()
    plant.work()

    assert plant.net() == [0, 0, 0]
    assert plant.counts() == [4, 4, 0]
    assert "erp document doc-3 reversed as doc-4" in plant.reason
    assert "doc-1" not in plant.reason


def test_after_a_reversal_the_message_can_be_discarded(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.work()

    with plant.store.writing() as session:
        discard(session, [plant.id], "ada", "not needed", plant.clock())

    assert plant.state == "discarded"


def test_after_a_reversal_the_message_can_be_corrected(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.work()
    body = move_event("m1", lot="m1").body.replace(b'"2"', b'"3"')

    with plant.store.writing() as session:
        correct(session, plant.id, body, "ada", plant.clock())
    plant.work()

    assert plant.state == "posted"
    assert plant.erp.documents[-1]["data"]["quantity"]["value"] == "3"
    assert plant.net() == [1, 1, 1]


def test_where_a_person_is_to_decide_the_message_is_dead_and_says_what_is_held(plant: Plant) -> None:
    plant.by_person().wms.before = [BLOCKED]

    plant.work()

    assert plant.reason == (
        "lot_blocked: wms: The lot is blocked. "
        "But erp holds document doc-1: have that reversed, or mend it and requeue."
    )
    assert plant.net() == [1, 0, 0]


def test_what_a_person_ordered_of_a_dead_message_is_reversed_and_it_is_dead_with_the_refusal(plant: Plant) -> None:
    plant.by_person().wms.before = [BLOCKED]
    plant.work()

    plant.order()
    plant.work()

    assert plant.reason.startswith("lot_blocked: wms: The lot is blocked.")
    assert plant.reason.endswith("Reversed: erp document doc-1 reversed as doc-2.")
    assert plant.net() == [0, 0, 0]


@pytest.mark.parametrize("is_there", [True, False])
def test_an_unknown_outcome_is_asked_for_before_anything_is_reversed(plant: Plant, is_there: bool) -> None:
    plant.by_person().wms.before = [BLOCKED]
    plant.work()
    key = plant.postings(reversals=False)[2].posting_key
    if is_there:
        plant.planning.effects.append((key, {}))
    with plant.store.writing() as session:
        session.execute(update(Posting).where(Posting.posting_key == key).values(state="unknown"))
    plant.planning.find_raises = Transient("503")

    plant.order()
    plant.work()
    while_unknown = plant.net()
    reversals = plant.postings(reversals=True)
    plant.planning.find_raises = None
    plant.work(4)

    assert while_unknown == [1, 0, int(is_there)]
    assert reversals == []
    assert plant.reason.startswith("lot_blocked")
    assert plant.net() == [0, 0, 0]
    assert plant.counts() == [2, 0, 2 * is_there]


def test_later_messages_of_the_key_wait_until_the_reversed_message_is_decided(plant: Plant) -> None:
    plant.planning.before = [BLOCKED]
    plant.wms.before_reversal = [Transient("busy")]
    (later,) = accept(plant.store, move_event("later", lot="m1", at="2026-03-02T10:00:00Z"))

    plant.work(4)
    held = states(plant.store, plant.id, later)
    with plant.store.writing() as session:
        discard(session, [plant.id], "ada", "not needed", plant.clock())
    plant.work(2)

    assert held == ["dead", "waiting"]
    assert states(plant.store, later) == ["posted"]
