"""Only the target or a named person ends an unknown outcome; until then nothing is sent again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest
from sqlalchemy import select

from app.audit.trail import read_trail
from app.dead_letters.decide import Decision, NotDecidable, decide
from app.dead_letters.repair import DeadLetterError, discard
from app.errors import NotTaken, OutcomeUnknown, Refused
from app.pipeline.visit import LanesLost, hold_lanes
from app.pipeline.wave import commit_and_choose
from app.postings.ledger import PostingState
from app.postings.listing import list_postings, unknown_figures
from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from config.topology import Topology
from tests.factories import NOON, accept, move_event, pipeline, run_once
from tests.flow.reversing import Plant
from tests.reading import posting_states, timeline

pytestmark = pytest.mark.slow


def without(topology: Topology, target: str) -> Topology:
    return replace(topology, targets={code: one for code, one in topology.targets.items() if code != target})


POSTED = Decision("posted", "seen in the ERP", "4711")
NOT_POSTED = Decision("not_posted", "searched by key and by lot")
CANNOT_TELL = Refused("no_search", "The interface has no search.")


def unknown(store: Store, *, dead: bool = True) -> Plant:
    """The ERP took the document, its answer was lost, and it cannot tell; the message is dead of that, or waits."""
    plant = Plant(store, give_up_seconds=100)
    plant.erp.after, plant.erp.find_raises = [OutcomeUnknown("no answer within 5 s")], CANNOT_TELL
    plant.work(3 if dead else 1)
    assert (plant.state, posting_states(store, plant.id)[0]) == ("dead" if dead else "waiting", "unknown")
    return plant


def say(plant: Plant, decision: Decision, actor: str = "ada", posting_id: int | None = None) -> None:
    first = plant.postings(reversals=False)[0].id
    with plant.store.writing() as session:
        decide(session, posting_id or first, decision, actor, plant.clock())


def test_a_requeue_of_an_unknown_outcome_asks_and_sends_nothing(store: Store) -> None:
    plant = unknown(store)
    asked = len(plant.erp.asked)

    for _ in range(2):
        plant.requeue()
        plant.work(3)

    assert len(plant.erp.asked) > asked
    assert plant.counts() == [1, 0, 0]
    assert (plant.state, posting_states(store, plant.id)[0]) == ("dead", "unknown")


@pytest.mark.parametrize("dead", [True, False])
def test_what_a_person_says_is_posted_is_never_sent_and_the_message_goes_on(store: Store, dead: bool) -> None:
    plant = unknown(store, dead=dead)
    asked = len(plant.erp.asked)

    say(plant, POSTED)
    plant.work()

    posting = plant.postings(reversals=False)[0]
    assert (plant.state, plant.counts(), len(plant.erp.asked)) == ("posted", [1, 1, 1], asked)
    assert (posting.state, posting.reference) == ("posted", "4711")
    assert posting.answer == {"decided": "posted", "actor": "ada", "reason": "seen in the ERP"}


@pytest.mark.parametrize("dead", [True, False])
def test_what_a_person_says_is_not_posted_is_sent_again_under_the_same_key_without_asking(
    store: Store, dead: bool
) -> None:
    plant = unknown(store, dead=dead)
    key, asked = plant.erp.effects.pop()[0], len(plant.erp.asked)

    say(plant, NOT_POSTED)
    plant.work()

    assert (plant.state, plant.counts(), len(plant.erp.asked)) == ("posted", [1, 1, 1], asked)
    assert plant.erp.effects[0][0] == key


def test_who_decided_and_why_stands_in_timeline_trail_and_attempts(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store)

    say(plant, POSTED)

    query = select(TimelineEntry.actor, TimelineEntry.note).where(TimelineEntry.message_id == plant.id)
    with plant.store.reading() as session:
        noted = session.execute(query.order_by(TimelineEntry.id.desc()).limit(1)).one()
        entry = next(one for one in read_trail(session, 5) if one.action == "posting.decided")
    posting = plant.postings(reversals=False)[0]
    assert tuple(noted) == ("ada", f"Decided: erp posting {posting.id} was made as 4711. seen in the ERP")
    assert (entry.actor, entry.subject) == ("ada", f"posting:{posting.id}")
    assert entry.detail == {
        "outcome": "posted",
        "reason": "seen in the ERP",
        "target": "erp",
        "message": plant.id,
        "reference": "4711",
    }


def test_a_dead_message_that_stays_dead_can_be_discarded_after_the_decision(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store)
    with pytest.raises(DeadLetterError), sqlite_store.writing() as session:
        discard(session, [plant.id], "ada", "sent by mistake", plant.clock())

    say(plant, Decision("not_posted", "nothing there", stays_dead=True))
    told = timeline(sqlite_store, plant.id)[-1]
    with sqlite_store.writing() as session:
        discard(session, [plant.id], "ada", "sent by mistake", plant.clock())

    assert (told, plant.state) == ("dead", "discarded")


def test_the_second_of_two_persons_is_told_what_the_first_said(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store)
    say(plant, POSTED)

    with pytest.raises(NotDecidable, match="is posted, there as 4711") as told:
        say(plant, NOT_POSTED, "bob")

    assert told.value.state == "posted"


def test_of_persons_and_a_worker_that_end_it_at_once_one_does(store: Store) -> None:
    plant = unknown(store, dead=False)
    plant.erp.find_raises = None
    together = Barrier(5)

    def person(number: int) -> bool:
        together.wait(10)
        try:
            say(plant, POSTED, f"person-{number}")
        except NotDecidable:
            return False
        return True

    def work() -> bool:
        together.wait(10)
        run_once(plant.line)
        return False

    with ThreadPoolExecutor(5) as pool:
        worker = pool.submit(work)
        decided = sum(pool.map(person, range(4)))
        worker.result()
    plant.work()

    with store.reading() as session:
        noted = [entry for entry in read_trail(session, 50) if entry.action == "posting.decided"]
    assert len(noted) == decided <= 1
    assert (plant.state, plant.counts()) == ("posted", [1, 1, 1])
    assert plant.postings(reversals=False)[0].reference == ("4711" if decided else "doc-1")


def test_what_the_target_has_told_meanwhile_nobody_decides(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store, dead=False)
    plant.erp.find_raises = None
    plant.work(2)

    with pytest.raises(NotDecidable, match="only an unknown outcome"):
        say(plant, NOT_POSTED)

    assert plant.counts() == [1, 1, 1]


def test_what_a_worker_asks_the_target_about_right_now_nobody_decides(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store, dead=False)
    told: list[str] = []

    def meanwhile(*_: object) -> object:
        with pytest.raises(NotDecidable) as refused:
            say(plant, NOT_POSTED)
        told.append(refused.value.state)
        return None

    plant.erp.find = meanwhile  # type: ignore[assignment]
    plant.work(1)

    assert told == ["sending"]


def test_a_worker_whose_lease_ended_loses_the_lane_to_a_decision(store: Store) -> None:
    plant = unknown(store, dead=False)
    visit = hold_lanes(plant.line, "P100", 10)
    assert visit is not None
    with pytest.raises(NotDecidable, match="being worked on"):
        say(plant, POSTED)

    plant.clock.pass_time(600)
    say(plant, POSTED)

    with pytest.raises(LanesLost):
        commit_and_choose(plant.line, visit)
    plant.work()
    assert (plant.state, plant.counts()) == ("posted", [1, 1, 1])


@pytest.mark.parametrize("made", [True, False])
def test_the_outcome_of_a_reversal_is_decided_as_well(sqlite_store: Store, made: bool) -> None:
    plant = Plant(sqlite_store)
    plant.work(1)
    plant.wms.after_reversal, plant.wms.find_raises = [OutcomeUnknown("no answer")], CANNOT_TELL
    plant.order()
    plant.work(2)
    if not made:
        plant.wms.effects.pop()
    (reversal,) = (one for one in plant.postings(reversals=True) if one.state == "unknown")

    say(plant, POSTED if made else NOT_POSTED, posting_id=reversal.id)
    plant.work()

    assert (plant.state, plant.net()) == ("compensated", [0, 0, 0])
    assert [posting.state for posting in plant.postings(reversals=False)] == ["compensated"] * 3


def test_a_document_that_nobody_named_is_reversed_by_hand_only(sqlite_store: Store) -> None:
    plant = unknown(sqlite_store)
    say(plant, Decision("posted", "seen in the ERP"))
    plant.work()

    plant.order()
    plant.work()
    told = plant.reason
    plant.order("reversed in the ERP", by_hand=True)
    plant.work()

    assert told.startswith("reversal_refused: erp did not reverse its document")
    assert plant.state == "compensated"


def test_unknown_outcomes_are_listed_by_page_and_counted(store: Store) -> None:
    plant = unknown(store)
    plant.erp.find_raises = None
    plant.erp.before = [OutcomeUnknown("lost"), OutcomeUnknown("lost")]
    accept(store, move_event("m2", lot="m2"), move_event("m3", lot="m3"))
    plant.work(1)

    with store.reading() as session:
        figures = unknown_figures(session)
        first = list_postings(session, PostingState.UNKNOWN, limit=2)
        second = list_postings(session, PostingState.UNKNOWN, limit=2, before=first.before)
        none = list_postings(session, PostingState.UNKNOWN, target="wms")

    rows = [*first.rows, *second.rows]
    assert (figures.total, figures.dead, none.rows, second.before) == (3, 1, [], None)
    assert [row.message.source_message_id for row in rows] == ["m3", "m2", "m1"]
    assert rows[2].since == NOON
    assert "Could not ask whether it was posted before: no_search" in (rows[2].posting.reason or "")


def test_a_target_that_answers_late_that_it_refuses_makes_the_posting_refused(store: Store) -> None:
    plant = Plant(store)
    plant.erp.before, plant.erp.find_raises = (
        [OutcomeUnknown("not acknowledged")],
        NotTaken("target_refused", "Bad lot."),
    )
    plant.work()
    told = plant.reason

    plant.requeue()
    plant.work()

    assert told == "target_refused: erp: Bad lot."
    assert (plant.state, plant.counts()) == ("posted", [1, 1, 1])


def test_a_late_refusal_of_what_was_asked_for_before_a_reversal_lets_that_go_on(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store)
    plant.wms.before, plant.wms.find_raises = [OutcomeUnknown("not acknowledged")], CANNOT_TELL
    plant.work(1)
    plant.line = replace(plant.line, topology=without(plant.line.topology, "wms"))
    plant.work(2)
    plant.line = pipeline(sqlite_store, plant.books, plant.clock)
    plant.wms.find_raises = NotTaken("target_refused", "Bad lot.")

    plant.order("made twice")
    plant.work()

    assert plant.reason.startswith("not_in_topology")
    assert (plant.state, plant.net()) == ("dead", [0, 0, 0])
    assert [posting.state for posting in plant.postings(reversals=False)] == ["compensated", "refused", "planned"]
