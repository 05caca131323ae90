"""What cannot be saved of one message's answers ends that message alone: its lane, and the truth about it, go on."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Text, select, type_coerce, update
from sqlalchemy.exc import OperationalError

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import requeue
from app.inbox.lookup import tell_story
from app.pipeline import recording
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.postings.ledger import PostingState
from app.postings.listing import list_postings
from app.store.documents import CANONICAL, ENRICHED
from app.store.messages_tables import MessageDocument
from app.store.postings_tables import Posting, PostingAttempt
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock, Killed
from tests.flow.reversing import Plant
from tests.flow.trailing import Line as TrailingLine
from tests.reading import message, posting_states, states

pytestmark = pytest.mark.slow


class Line:
    """One lane of a plant with an ERP, and a document that one of its messages was enriched to."""

    def __init__(self, store: Store, erp: Books | None = None) -> None:
        self.store, self.clock, self.erp = store, Clock(NOON), erp or Books()
        know_items(store)
        line = pipeline(store, {"erp": self.erp}, self.clock)
        plants = {code: replace(plant, lanes=1) for code, plant in line.topology.plants.items()}
        self.line: Pipeline = replace(line, topology=replace(line.topology, plants=plants))

    def prepare(self, *messages: Any) -> list[int]:
        ids = accept(self.store, *messages)
        transform_due(self.line, "P100", 100)
        enrich_due(self.line, "P100", 100)
        return ids

    def post(self, times: int = 1) -> None:
        for _ in range(times):
            post_due(self.line, "P100", 100)
            self.clock.pass_time(61)

    def requeue(self, *ids: int) -> None:
        with self.store.writing() as session:
            requeue(session, ids, "ada", self.clock())

    def events(self, key: int, becomes: Any = None) -> Any:
        """The enriched events of a message, or what is put into their place."""
        mine = (MessageDocument.message_id == key) & (MessageDocument.step == ENRICHED)
        with self.store.writing() as session:
            if becomes is not None:
                session.execute(update(MessageDocument).where(mine).values(body=becomes))
            return session.execute(select(MessageDocument.body).where(mine)).scalar_one()

    def posting(self, key: int) -> Posting:
        with self.store.reading() as session:
            return session.execute(select(Posting).where(Posting.message_id == key)).scalar_one()


def _without_quantity(events: Any) -> Any:
    return [{**event, "data": {k: v for k, v in event["data"].items() if k != "quantity"}} for event in events]


def test_events_that_cannot_take_effect_end_their_own_message_and_are_posted_once(store: Store) -> None:
    line = Line(store)
    line.post(len(line.prepare(*(release(f"r{order}", order) for order in "ABC"))))
    bad, *others = line.prepare(
        release("bad", "A", at="2026-03-02T09:00:00Z"),
        *(completion(f"{order}{n}", order, at=f"2026-03-02T09:0{n}:00Z") for order in "BC" for n in range(5)),
    )
    (behind,) = line.prepare(completion("behind", "A", at="2026-03-02T10:00:00Z"))
    healthy = line.events(bad)
    line.events(bad, _without_quantity(healthy))

    line.post(3)
    parked = (states(store, bad, behind), message(store, behind).waiting_for, message(store, bad).reason_code)
    held = line.posting(bad)
    line.events(bad, healthy)
    line.requeue(bad)
    line.post(2)

    assert parked == (["dead", "waiting"], "key:P100:order:A", "internal_error")
    assert (held.state, held.reference is not None, held.attempts) == ("posted", True, 1)
    assert states(store, bad, behind) == ["posted", "posted"]
    assert {(message(store, key).state, line.posting(key).attempts) for key in others} == {("posted", 1)}
    assert len({key for key, _ in line.erp.effects}) == len(line.erp.effects) == 3 + 12
    assert line.erp.asked == []


class Odd(Books):
    """Answers to one document with what no database can keep."""

    odd: TargetAnswer

    def post(self, request: PostingRequest) -> TargetAnswer:
        answer = super().post(request)
        return replace(self.odd, reference=answer.reference) if request.document["data"].get("lot") == "ODD" else answer


def test_an_answer_that_cannot_be_kept_leaves_what_it_says_of_the_posting(store: Store) -> None:
    erp = Odd()
    erp.odd = TargetAnswer("", {"seen": object()})
    line = Line(store, erp)
    lots = ["ODD" if number == 7 else f"L{number}" for number in range(20)]
    ids = line.prepare(*(move_event(f"m{number}", lot=lot) for number, lot in enumerate(lots)))

    line.post(2)
    dead = (states(store, ids[7]), message(store, ids[7]).reason_code, line.posting(ids[7]))
    line.requeue(ids[7])
    line.post()

    assert dead[:2] == (["dead"], "internal_error")
    assert (dead[2].state, dead[2].answer) == ("posted", None)
    assert str(dead[2].reference).startswith("doc-")
    assert set(states(store, *ids)) == {"posted"}
    assert len(erp.effects) == 20
    assert erp.asked == []


def test_an_answer_of_which_nothing_can_be_kept_is_asked_for_before_anything_is_sent_again(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(sqlite_store)
    ids = line.prepare(*(move_event(f"m{number}", lot=f"L{number}") for number in range(8)))
    healthy = recording.record_results

    def record_results(session: Any, results: Any, now: Any) -> None:
        odd = [one for one in results if one.posting.message_id == ids[3] and one.reference is not None]
        healthy(session, [replace(one, attempt=object()) if one in odd else one for one in results], now)

    monkeypatch.setattr(recording, "record_results", record_results)
    line.post(2)
    dead = (states(sqlite_store, ids[3]), posting_states(sqlite_store, ids[3]))
    monkeypatch.undo()
    line.requeue(ids[3])
    line.post()

    assert dead == (["dead"], ["unknown"])
    assert set(states(sqlite_store, *ids)) == {"posted"}
    assert line.erp.asked == [line.posting(ids[3]).posting_key]
    assert len(line.erp.effects) == 8


def test_an_intent_that_cannot_be_saved_is_not_sent_and_its_neighbours_are(store: Store) -> None:
    line = Line(store)
    ids = line.prepare(*(move_event(f"m{number}", lot=f"L{number}") for number in range(9)))
    taken = line.posting(ids[4]).id
    with store.writing() as session:
        session.add(PostingAttempt(posting_id=taken, number=1, started_at=NOON, worker="another"))

    line.post(3)

    assert [key for key in ids if states(store, key) != ["posted"]] == [ids[4]]
    assert (states(store, ids[4]), posting_states(store, ids[4])) == (["dead"], ["planned"])
    assert message(store, ids[4]).reason_code == "internal_error"
    assert len(line.erp.effects) == 8


def test_a_reversal_that_cannot_be_booked_ends_its_message_and_is_not_made_twice(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant = Plant(sqlite_store)
    plant.work(1)
    (other,) = accept(sqlite_store, move_event("other", lot="other"))
    plant.order()
    monkeypatch.setattr("app.pipeline.reversing.undo_effect", lambda *_: 1 // 0)

    plant.work(2)
    dead = (plant.state, message(sqlite_store, plant.id).reason_code, plant.net())
    proofs = [posting.state for posting in plant.postings(reversals=True)]
    monkeypatch.undo()
    plant.requeue()
    plant.work(2)

    assert dead == ("dead", "internal_error", [1, 1, 1])  # what they hold of the other message
    assert proofs == ["posted", "posted", "posted"]
    assert states(sqlite_store, plant.id, other) == ["compensated", "posted"]
    assert plant.net() == [1, 1, 1]


def test_a_database_in_trouble_gives_everything_back_and_counts_nothing(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(sqlite_store)
    ids = line.prepare(*(move_event(f"m{number}", lot=f"L{number}") for number in range(6)))
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def take_effect(*_: Any) -> Any:
        raise OperationalError("INSERT", {}, full)

    monkeypatch.setattr(recording, "take_effect", take_effect)
    with pytest.raises(OperationalError):
        line.post()
    during = {(message(sqlite_store, key).state, message(sqlite_store, key).workers_lost) for key in ids}
    monkeypatch.undo()
    line.post(3)

    assert during == {("enriched", 0)}
    assert set(states(sqlite_store, *ids)) == {"posted"}
    assert {message(sqlite_store, key).workers_lost for key in ids} == {0}
    assert len(line.erp.effects) == 6


def test_a_fault_that_is_no_messages_ends_none(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    line = Line(sqlite_store)
    ids = line.prepare(*(move_event(f"m{number}", lot=f"L{number}") for number in range(3)))
    monkeypatch.setattr("app.pipeline.wave.hold_room", lambda *_: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        line.post()

    assert set(states(sqlite_store, *ids)) == {"enriched"}
    assert line.erp.effects == []


def test_nobody_of_the_key_passes_a_message_that_could_not_be_finished(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(sqlite_store)
    healthy = recording.take_effect
    bad: list[int] = []

    def take_effect(session: Any, plant: str, messages: Any, now: Any) -> Any:
        if any(found.id in bad for found, _ in messages):
            raise ValueError("no")
        return healthy(session, plant, messages, now)

    monkeypatch.setattr(recording, "take_effect", take_effect)
    ids = line.prepare(
        *(
            move_event(f"{lot}{number}", lot=lot, at=f"2026-03-02T09:0{number}:00Z")
            for lot in ("A", "B", "C")
            for number in range(4)
        )
    )
    bad += [ids[1], ids[8]]
    line.post(2)
    held = states(sqlite_store, *ids)
    bad.clear()
    line.requeue(ids[1], ids[8])
    run_once(line.line)

    a, b, c = held[:4], held[4:8], held[8:]
    assert a == ["posted", "dead", "waiting", "waiting"]
    assert b == ["posted"] * 4
    assert c == ["dead", "waiting", "waiting", "waiting"]
    assert set(states(sqlite_store, *ids)) == {"posted"}
    assert len({key for key, _ in line.erp.effects}) == len(line.erp.effects) == 12
    for lot in "ABC":
        times = [sent["data"]["event_time"] for sent in line.erp.documents if sent["data"]["lot"] == lot]
        assert times == sorted(times)


def test_events_that_cannot_be_read_end_their_own_message_and_no_lane(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    bad, other, behind = line.prepare(
        release("bad", "A", at="2026-03-02T07:00:00Z"), release("r2", "B"), release("r3", "A")
    )
    line.events(bad, [{"type": "production.order.released.v1", "data": {}}])

    line.post(2)

    assert states(sqlite_store, bad, other, behind) == ["dead", "posted", "waiting"]
    assert len(line.erp.effects) == 1


@pytest.mark.parametrize("step", [CANONICAL, ENRICHED])
def test_a_stored_document_that_is_torn_ends_its_own_message_and_is_made_anew_by_a_requeue(
    store: Store, step: str
) -> None:
    line = Line(store)
    ids = accept(store, *(move_event(f"m{number}", lot=f"L{number}") for number in range(5)))
    transform_due(line.line, "P100", 100)
    if step == ENRICHED:
        enrich_due(line.line, "P100", 100)
    torn = update(MessageDocument).where(MessageDocument.message_id == ids[2], MessageDocument.step == step)
    with store.writing() as session:
        session.execute(torn.values(body=type_coerce('[{"type": "inv', Text)))

    run_once(line.line)
    with store.reading() as session:
        shown = {document.step: document.body for document in tell_story(session, message(store, ids[2])).documents}
    dead = [(state, message(store, key).reason_code) for key, state in zip(ids, states(store, *ids), strict=True)]
    line.requeue(ids[2])
    run_once(line.line)

    assert shown[step] == '[{"type": "inv'
    assert dead == [("posted", None)] * 2 + [("dead", "document_unreadable")] + [("posted", None)] * 2
    assert set(states(store, *ids)) == {"posted"}
    assert len(line.erp.effects) == 5


def test_what_was_under_way_when_its_message_died_is_asked_for_before_it_is_sent_again(sqlite_store: Store) -> None:
    line = Line(sqlite_store)
    line.erp.after = [Killed()]
    (key,) = line.prepare(move_event())
    with pytest.raises(Killed):
        line.post()
    healthy = line.events(key)
    line.events(key, [{"type": "production.order.released.v1", "data": {}}])
    line.clock.pass_time(120)
    line.post()
    dead = states(sqlite_store, key), line.posting(key).state
    with sqlite_store.reading() as session:
        (listed,) = list_postings(session, PostingState.UNKNOWN).rows
    line.events(key, healthy)

    line.requeue(key)
    line.post()

    assert dead == (["dead"], "sending")
    assert (listed.posting.message_id, listed.state) == (key, "unknown")
    assert states(sqlite_store, key) == ["posted"]
    assert (line.erp.asked, len(line.erp.effects)) == ([line.posting(key).posting_key], 1)


@pytest.mark.parametrize("what", ["intent", "answer"])
def test_what_cannot_be_saved_of_a_trailing_posting_ends_that_posting_alone(sqlite_store: Store, what: str) -> None:
    line = TrailingLine(sqlite_store)
    first, second, *_ = line.accept(1, 2)
    transform_due(line.line, "P100", 100)
    enrich_due(line.line, "P100", 100)
    if what == "intent":
        with sqlite_store.writing() as session:
            taken = line.posting(first).id
            session.add(PostingAttempt(posting_id=taken, number=1, started_at=NOON, worker="another"))
    else:
        taken = line.planning.post
        odd = [{"seen": object()}]
        line.planning.post = lambda request: replace(taken(request), body=odd.pop() if odd else None)  # type: ignore[method-assign]

    line.work(3, seconds=400)

    ended = line.posting(first)
    assert states(sqlite_store, first, second) == ["posted", "posted"]
    assert (ended.state, ended.reason_code) == (("refused", "internal_error") if what == "intent" else ("posted", None))
    assert line.posting(first, "report").state == "posted"
    assert {line.posting(second, target).state for target in ("planning", "report")} == {"posted"}
    assert [line.step(key) for key in (first, second)] == [("posted", None)] * 2
