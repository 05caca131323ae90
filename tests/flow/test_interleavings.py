"""Two workers, the clock and two people, in every order of their steps: each message takes effect once and in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from sqlalchemy import event, select

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import DeadLetterError, discard, requeue
from app.errors import OutcomeUnknown, Refused, Transient
from app.inbox.states import MOVES, State
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.store.messages_tables import Message
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.flow.schedules import Actor, Choices, DrawnChoices, SteppedStore, every_schedule, play
from tests.reading import states, timeline

pytestmark = pytest.mark.slow

# One deviation at every place; several at places by chance. Two at every place are some 1,500 schedules a scene.
DEVIATIONS = 1
DRAWN = 20


class Watched(Books):
    """Books that let the caller stop before it is asked and after; ``caller`` is the worker whose view this is."""

    def __init__(self, books: Books, caller: Actor) -> None:
        self.books, self.caller = books, caller

    def post(self, request: PostingRequest) -> TargetAnswer:
        return self.books.post(request)

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        found = self.books.find(request)
        self.caller.pause()
        return found


@dataclass
class Scene:
    """Two messages of one key that are ready to be posted, in a database that many schedules use one after another."""

    store: Store
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    number: int = 0

    def __post_init__(self) -> None:
        know_items(self.store)

    def play(self, choices: Choices, fault: Callable[[Books], None], act: str, deviations: int) -> None:
        self.number += 1
        self.clock.pass_time(10_000)
        books = Books()
        whole = pipeline(self.store, {"erp": books}, self.clock)
        ids = accept(
            self.store,
            *(
                move_event(f"{self.number}-{n}", lot=f"L{self.number}", at=f"2026-03-02T0{n}:00:00Z")
                for n in range(1, 3)
            ),
            at=self.clock(),
        )
        transform_due(whole, "P100", 10)
        enrich_due(whole, "P100", 10)
        fault(books)
        actors = [
            Actor("first", lambda actor: post_due(self._line(whole, books, actor), "P100", 10)),
            Actor("second", lambda actor: run_once(self._line(whole, books, actor), "P100", 10)),
            Actor("person", lambda actor: self._act(act, ids, actor)),
        ]
        events = {"a minute": lambda: self.clock.pass_time(61), "an hour": lambda: self.clock.pass_time(3_000)}

        story = play(actors, events, choices, deviations, kills=1)
        self._finish(whole, ids)
        self._judge(books, ids, story)

    def _line(self, whole: Pipeline, books: Books, actor: Actor) -> Pipeline:
        def adapter_for(_code: str) -> Watched:
            actor.pause()
            return Watched(books, actor)

        return replace(whole, store=SteppedStore(self.store, actor), adapter_for=adapter_for, worker=actor.name)

    def _act(self, act: str, ids: list[int], actor: Actor) -> None:
        with SteppedStore(self.store, actor).writing() as session:
            requeue(session, ids, "ada", self.clock())
        if act == "requeue, then discard":
            with SteppedStore(self.store, actor).writing() as session:
                try:
                    discard(session, ids, "ada", "not needed", self.clock())
                except DeadLetterError:
                    return

    def _finish(self, whole: Pipeline, ids: list[int]) -> None:
        """What the relay would bring about, and a person for what is dead."""
        for _ in range(12):
            if set(states(self.store, *ids)) <= {"posted", "discarded"}:
                return
            self.clock.pass_time(400)
            with self.store.writing() as session:
                requeue(session, ids, "ada", self.clock())
            run_once(whole)

    def _judge(self, books: Books, ids: list[int], story: list[str]) -> None:
        with self.store.reading() as session:
            query = select(Posting.posting_key, Message.id).join(Message, Message.id == Posting.message_id)
            owner = {row.posting_key: row.id for row in session.execute(query.where(Message.id.in_(ids)))}
        effects = [owner[key] for key, _ in books.effects]
        posted = [key for key, state in zip(ids, states(self.store, *ids), strict=True) if state == "posted"]
        assert set(states(self.store, *ids)) <= {"posted", "discarded"}, story
        assert Counter(effects) == Counter(posted), story
        assert effects == sorted(effects), story
        for key in ids:
            path = [State(state) for state in timeline(self.store, key)]
            assert all(after in MOVES[before] for before, after in pairwise(path)), story


def _nothing(books: Books) -> None:
    return None


def _lost_answer(books: Books) -> None:
    books.after = [OutcomeUnknown("no answer")]


def _lost_call(books: Books) -> None:
    books.before = [OutcomeUnknown("connection lost")]


def _refusal(books: Books) -> None:
    books.before = [Refused("period_closed", "The period is closed.")]


def _busy(books: Books) -> None:
    books.before = [Transient("busy"), None, Transient("busy")]


SCENES = {
    "no fault": (_nothing, "requeue"),
    "a lost answer": (_lost_answer, "requeue"),
    "a lost call": (_lost_call, "requeue"),
    "a refusal": (_refusal, "requeue"),
    "a refusal, discarded": (_refusal, "requeue, then discard"),
    "a busy target": (_busy, "requeue"),
}


@pytest.mark.parametrize("name", SCENES)
def test_in_every_order_of_steps_each_message_takes_effect_once(sqlite_store: Store, name: str) -> None:
    count = walk(sqlite_store, name, DEVIATIONS)

    assert count > 40


@pytest.mark.parametrize("name", SCENES)
def test_in_orders_by_chance_each_message_takes_effect_once(sqlite_store: Store, name: str) -> None:
    scene = Scene(_unflushed(sqlite_store))

    for seed in range(DRAWN):
        scene.play(DrawnChoices(seed), *SCENES[name], deviations=8)


def walk(store: Store, name: str, deviations: int) -> int:
    scene = Scene(_unflushed(store))
    return every_schedule(lambda choices: scene.play(choices, *SCENES[name], deviations))


def _unflushed(store: Store) -> Store:
    """Nobody pulls this computer's plug; a thousand flushes to its disk would be most of the test's time."""
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return store
