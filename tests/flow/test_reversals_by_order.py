"""A person has a posted message reversed: once, without holding others, and Lineside's own picture with it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from app.audit.trail import read_trail
from app.dead_letters.repair import DeadLetterError
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient
from app.inbox.wakes import wake
from app.pipeline.outcome import target_reference
from app.postings.pauses import resume_target
from app.projections.order_lists import OrderPicture
from app.store.messages_tables import StateChange, TimelineEntry
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, move_event, release
from tests.fakes import Killed
from tests.flow.reversing import Plant
from tests.reading import message, projected_orders, states, timeline

pytestmark = pytest.mark.slow


@pytest.fixture
def plant(store: Store) -> Plant:
    """Its message is posted."""
    plant = Plant(store)
    plant.work(1)
    return plant


def test_a_posted_message_is_reversed_in_every_target_and_compensated(plant: Plant) -> None:
    plant.order("counted wrongly")
    plant.work()

    assert plant.state == "compensated"
    assert plant.net() == [0, 0, 0]
    assert [posting.state for posting in plant.postings(reversals=False)] == ["compensated"] * 3
    assert timeline(plant.store, plant.id)[-3:] == ["posted", "posted", "compensated"]


def test_who_ordered_it_and_why_stands_in_timeline_and_trail(plant: Plant) -> None:
    plant.order("counted wrongly")
    plant.work()

    query = select(TimelineEntry.actor, TimelineEntry.note).where(TimelineEntry.message_id == plant.id)
    with plant.store.reading() as session:
        notes = [tuple(row) for row in session.execute(query.order_by(TimelineEntry.id))][-2:]
        (entry,) = read_trail(session, 10)
    assert notes[0] == ("ada", "Reversal ordered: counted wrongly")
    assert notes[1] == (
        "lineside",
        "planning document doc-1 reversed as doc-2; wms document doc-1 reversed as doc-2; "
        "erp document doc-1 reversed as doc-2. counted wrongly",
    )
    assert (entry.actor, entry.action, entry.subject) == ("ada", "message.reversal_ordered", f"message:{plant.id}")
    assert entry.detail == {"reason": "counted wrongly"}


def test_a_reversal_is_ordered_once(plant: Plant) -> None:
    plant.order()
    with pytest.raises(DeadLetterError, match="being reversed already"):
        plant.order()
    plant.work()

    with pytest.raises(DeadLetterError, match="was reversed already"):
        plant.order()
    assert plant.net() == [0, 0, 0]


@pytest.mark.parametrize("what", [Killed(), OutcomeUnknown("no answer"), Transient("busy")])
@pytest.mark.parametrize("when", ["before_reversal", "after_reversal"])
def test_a_posted_message_stays_posted_until_all_is_undone(plant: Plant, when: str, what: BaseException) -> None:
    since = message(plant.store, plant.id).state_at
    getattr(plant.wms, when).append(what if when == "before_reversal" else OutcomeUnknown("no answer"))

    plant.order()
    plant.work(1)
    half_way = message(plant.store, plant.id)
    plant.work()

    assert (half_way.state, half_way.step, half_way.state_at) == ("posted", "post", since)
    assert plant.state == "compensated"
    assert plant.net() == [0, 0, 0]


def test_later_messages_of_its_key_go_on_while_it_is_reversed(plant: Plant) -> None:
    plant.planning.before_reversal = [Transient("busy"), Transient("busy")]
    plant.order()
    (later,) = accept(plant.store, move_event("m2", lot="m1", at="2026-03-02T10:00:00Z"))

    plant.work(1)
    meanwhile = states(plant.store, plant.id, later)
    plant.work()

    assert meanwhile == ["posted", "posted"]
    assert plant.state == "compensated"


def test_a_reversal_that_waits_for_a_paused_target_is_woken_with_all_that_waits_for_it(plant: Plant) -> None:
    plant.planning.before_reversal = [TargetPaused("401")]
    plant.order()
    plant.work(1)

    with plant.store.writing() as session:
        resume_target(session, "planning")
        woken = wake(session, [target_reference("planning")], NOON)

    assert woken == 1


def test_a_refused_reversal_of_a_posted_message_is_a_dead_letter_and_ends_compensated_after_a_requeue(
    plant: Plant,
) -> None:
    plant.wms.before_reversal = [Refused("target_refused", "The document is locked.")]
    plant.order()

    plant.work()
    refused = plant.reason
    plant.requeue()
    plant.work()

    assert refused.startswith("reversal_refused: wms did not reverse its document doc-1")
    assert plant.state == "compensated"
    assert plant.net() == [0, 0, 0]


def test_a_person_who_orders_it_again_after_a_refusal_has_it_go_on(plant: Plant) -> None:
    plant.wms.before_reversal = [Refused("target_refused", "The document is locked.")]
    plant.order()
    plant.work()

    plant.order("it is unlocked")
    plant.work()

    assert plant.state == "compensated"
    assert plant.net() == [0, 0, 0]


def test_what_a_target_cannot_reverse_a_person_reverses_there_and_says_so(plant: Plant) -> None:
    plant.wms.before_reversal = [Refused("reversal_not_possible", "Reverse doc-1 there by hand.")]
    plant.order()
    plant.work()

    plant.order("done in the WMS", by_hand=True)
    plant.work()

    assert plant.state == "compensated"
    assert plant.net() == [0, 1, 0]
    told = {posting.target: (posting.reference, posting.answer) for posting in plant.postings(reversals=True)}
    assert told["wms"] == ("by hand", {"by_hand": "done in the WMS", "actor": "ada"})
    assert [posting.state for posting in plant.postings(reversals=False)] == ["compensated"] * 3


def test_nothing_is_reversed_by_hand_that_was_not_refused_before(plant: Plant) -> None:
    with pytest.raises(DeadLetterError, match="No target refused a reversal"):
        plant.order(by_hand=True)

    assert message(plant.store, plant.id).step is None


@pytest.mark.slow
def test_a_worker_killed_before_any_of_its_commits_leaves_each_reversal_made_once(store: Store) -> None:
    commits, number = 1, 0
    while number <= commits:
        plant = Plant(store, f"m{number}")
        plant.work(1)
        plant.order()

        begun = plant.killed_at(number or None)
        commits = commits if number else begun
        number += 1

        assert plant.net() == [0, 0, 0], number
        assert plant.state == "compensated", number
    assert commits > 8


def test_only_what_is_posted_or_dead_can_be_reversed(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store)
    plant.erp.before = [Transient("busy")]
    plant.work(1)

    with pytest.raises(DeadLetterError, match="is waiting; only what is posted or dead"):
        plant.order()


def test_a_dead_message_of_which_no_target_holds_anything_has_nothing_to_reverse(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store)
    plant.erp.before = [Refused("no", "No.")]
    plant.work()

    with pytest.raises(DeadLetterError, match="No target holds anything"):
        plant.order()


def test_a_person_who_orders_while_a_worker_posts_is_told_to_wait(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store)
    told: list[str] = []

    def meanwhile(*_: object) -> object:
        try:
            plant.order()
        except DeadLetterError as error:
            told.append(str(error))
        return None

    plant.wms.find = meanwhile  # type: ignore[assignment]
    plant.wms.before = [OutcomeUnknown("no answer")]
    plant.work(2)

    assert told == [f"Message {plant.id} is waiting; only what is posted or dead can be reversed."]
    assert plant.net() == [1, 1, 1]


def _order(store: Store) -> OrderPicture:
    (picture,) = projected_orders(store)
    return picture


def test_a_reversed_completion_and_scrap_count_no_more_in_their_order(store: Store) -> None:
    plant = Plant(store)
    scrap = {
        "event_time": "2026-03-02T09:30:00Z",
        "order_id": "1000",
        "item": "BIKE-100",
        "quantity": {"value": "1", "uom": "EA"},
        "reason": "scratched",
    }
    ids = accept(
        store,
        release(),
        completion("c1", quantity="4"),
        completion("c2", quantity="3", at="2026-03-02T10:00:00Z"),
        incoming("s1", "production.scrapped.v1", scrap),
    )
    plant.work()
    before = _order(store)

    for key in (ids[1], ids[3]):
        plant.id = key
        plant.order()
    plant.work()

    after = _order(store)
    assert (before.completed, before.scrapped, before.status) == (Decimal(7), Decimal(1), "started")
    assert (after.completed, after.scrapped, after.status) == (Decimal(3), Decimal(0), "started")
    assert states(store, *ids) == ["posted", "compensated", "posted", "compensated"]


def test_an_order_whose_only_completion_is_reversed_is_released_again_and_a_reversed_release_is_none(
    store: Store,
) -> None:
    plant = Plant(store)
    released, completed = accept(store, release(), completion("c1"))
    plant.work()

    plant.id = completed
    plant.order()
    plant.work()
    then = _order(store).status
    plant.id = released
    plant.order()
    plant.work()

    assert then == "released"
    assert (_order(store).status, _order(store).order.released_message_id) == ("unreleased", None)


def test_the_counts_of_states_agree_with_the_messages(plant: Plant) -> None:
    plant.order()
    plant.work()

    changes: dict[str, int] = {}
    with plant.store.reading() as session:
        for row in session.scalars(select(StateChange)):
            changes[row.state] = changes.get(row.state, 0) + row.change
    assert {state: count for state, count in changes.items() if count} == {"compensated": 1}


def test_a_message_that_no_target_got_is_compensated_all_the_same(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store)
    routed = plant.line
    plant.line = plant.without_routes()
    plant.work(1)

    plant.line = routed
    plant.order()
    plant.work()

    assert plant.state == "compensated"
    assert plant.counts() == [0, 0, 0]
