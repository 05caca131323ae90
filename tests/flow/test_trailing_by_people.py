"""What trails and a person acts upon: requeued, decided, or its message reversed."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.audit.trail import read_trail
from app.dead_letters.decide import Decision, NotDecidable, decide
from app.dead_letters.posting_requeue import requeue_posting
from app.dead_letters.reversal import reverse
from app.errors import OutcomeUnknown, Refused, Transient
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import know_items
from tests.flow.reversing import Plant
from tests.flow.trailing import Line, minutes
from tests.reading import states

pytestmark = pytest.mark.slow

NO_SCHEDULE = Refused("no_such_schedule", "No schedule.")
CANNOT_TELL = Refused("no_search", "The interface has no search.")


def _again(line: Line, posting_id: int) -> None:
    with line.store.writing() as session:
        requeue_posting(session, posting_id, "the schedule is there", "ada", line.clock(), lambda _: 1)


def _order(line: Line, key: int) -> None:
    with line.store.writing() as session:
        reverse(session, key, "counted wrongly", "ada", line.clock(), lambda _: 1)


def _reversals(line: Line, key: int) -> list[str]:
    query = select(Posting.target).where(Posting.message_id == key, Posting.reverses_id.is_not(None))
    with line.store.reading() as session:
        return list(session.scalars(query.order_by(Posting.ordinal)))


def test_a_refused_posting_is_made_again_once_a_person_says_so(store: Store) -> None:
    line = Line(store)
    line.planning.before = [NO_SCHEDULE]
    (key,) = line.accept(1)
    line.work(2)
    posting = line.posting(key)

    _again(line, posting.id)
    due = line.step(key), line.posting(key).state
    line.work()

    with store.reading() as session:
        (entry,) = read_trail(session, 1)
    assert due == (("posted", "post"), "planned")
    assert (line.posting(key).state, line.step(key), minutes(line.planning)) == ("posted", ("posted", None), [1])
    assert (entry.actor, entry.action, entry.subject) == ("ada", "posting.requeued", f"posting:{posting.id}")
    assert entry.detail == {"reason": "the schedule is there", "target": "planning", "message": key}


def test_what_was_not_refused_is_not_made_again(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    (key,) = line.accept(1)
    line.work()

    with pytest.raises(NotDecidable, match="is posted and its message") as told:
        _again(line, line.posting(key).id)
    with pytest.raises(NotDecidable, match="it is required, so requeue the message"):
        _again(line, line.posting(key, "erp").id)

    assert told.value.state == "posted"


def test_an_unknown_outcome_that_trails_is_decided_and_the_next_of_its_key_goes_on(store: Store) -> None:
    line = Line(store)
    line.planning.after, line.planning.find_raises = [OutcomeUnknown("no answer")], CANNOT_TELL
    first, second = line.accept(1, 2)
    line.work(2)

    with store.writing() as session:
        decide(session, line.posting(first).id, Decision("posted", "seen there", "4711"), "ada", line.clock())
    line.work(2)

    assert line.posting(first).reference == "4711"
    assert minutes(line.planning) == [1, 2]
    assert [line.step(key) for key in (first, second)] == [("posted", None)] * 2


def test_a_reversal_that_is_ordered_while_something_trails_withdraws_it(store: Store) -> None:
    line = Line(store)
    line.planning.before = [Transient("down")]
    first, second = line.accept(1, 2)
    line.work(seconds=0.5)

    _order(line, first)
    line.work(3)

    withdrawn = line.posting(first)
    assert states(store, first, second) == ["compensated", "posted"]
    assert (withdrawn.state, withdrawn.reason_code) == ("refused", "withdrawn")
    assert _reversals(line, first) == ["report", "erp"]
    assert minutes(line.planning) == [2]
    with pytest.raises(NotDecidable):
        _again(line, withdrawn.id)


@pytest.mark.parametrize("held", [True, False])
def test_a_reversal_first_asks_for_what_trails_and_is_unknown(sqlite_store: Store, held: bool) -> None:
    line = Line(sqlite_store)
    lost = OutcomeUnknown("no answer")
    line.planning.after, line.planning.before = ([lost], []) if held else ([], [lost])
    (key,) = line.accept(1)
    line.work(seconds=0.5)

    _order(line, key)
    line.work(4)

    assert states(sqlite_store, key) == ["compensated"]
    assert line.posting(key).state == ("compensated" if held else "refused")
    assert _reversals(line, key) == (["report", "planning", "erp"] if held else ["report", "erp"])


def test_a_reversal_that_is_ordered_while_the_trailing_call_is_under_way_covers_it(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    (key,) = line.accept(1)
    taken = line.planning.post

    def meanwhile(request):  # type: ignore[no-untyped-def]
        _order(line, key)
        return taken(request)

    line.planning.post = meanwhile  # type: ignore[method-assign]
    line.work(4)

    assert states(sqlite_store, key) == ["compensated"]
    assert sorted(_reversals(line, key)) == ["erp", "planning", "report"]


def test_a_reversal_covers_what_was_not_required_and_is_posted(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    (key,) = line.accept(1)
    line.work(2)

    _order(line, key)
    line.work(2)

    assert _reversals(line, key) == ["report", "planning", "erp"]
    assert states(sqlite_store, key) == ["compensated"]


def test_a_refusal_of_what_is_required_leaves_nothing_trailing(sqlite_store: Store) -> None:
    plant = Plant(sqlite_store, optional=("planning",))
    know_items(sqlite_store)
    plant.wms.before = [Refused("lot_blocked", "The lot is blocked.")]

    plant.work()

    assert (plant.state, plant.net(), plant.counts()) == ("dead", [0, 0, 0], [2, 0, 0])
