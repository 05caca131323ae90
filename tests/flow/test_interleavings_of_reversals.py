"""Two workers, the clock and two people, in every order of their steps around a reversal: nothing is half there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from sqlalchemy import event

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import DeadLetterError, discard, requeue
from app.dead_letters.reversal import reverse
from app.errors import OutcomeUnknown, Refused
from app.pipeline.context import Pipeline
from app.pipeline.post import post_due
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.flow.reversing import BLOCKED
from tests.flow.schedules import Actor, Choices, DrawnChoices, SteppedStore, every_schedule, play
from tests.reading import states

pytestmark = pytest.mark.slow

DRAWN = 12


class Watched(Books):
    """Books that let the caller stop after it has asked and after it has reversed."""

    def __init__(self, books: Books, caller: Actor) -> None:
        self.books, self.caller = books, caller

    def post(self, request: PostingRequest) -> TargetAnswer:
        return self.books.post(request)

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        found = self.books.find(request)
        self.caller.pause()
        return found

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        answer = self.books.reverse(request, reference)
        self.caller.pause()
        return answer


@dataclass
class Scene:
    """A message that the ERP holds and the WMS refuses once; in a database that many schedules use one after another.
    ``posted``: it is posted instead, and the person has it reversed."""

    store: Store
    posted: bool
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    number: int = 0

    def __post_init__(self) -> None:
        know_items(self.store)

    def play(self, choices: Choices, deviations: int) -> None:
        self.number += 1
        self.clock.pass_time(10_000)
        books = {"erp": Books(), "wms": Books()}
        whole = pipeline(self.store, books, self.clock)
        (key,) = accept(self.store, move_event(f"{self.number}", lot=f"L{self.number}"), at=self.clock())
        if self.posted:
            run_once(whole)
            self._order(key, self.store)
            books["wms"].after_reversal = [OutcomeUnknown("no answer")]
        else:
            books["wms"].before = [BLOCKED, BLOCKED, BLOCKED]
            books["erp"].before_reversal = [Refused("locked", "The document is locked.")]
        actors = [
            Actor("first", lambda actor: self._work(whole, books, actor)),
            Actor("second", lambda actor: self._work(whole, books, actor)),
            Actor("person", lambda actor: self._act(key, actor)),
        ]
        events = {"a minute": lambda: self.clock.pass_time(61), "an hour": lambda: self.clock.pass_time(3_000)}

        story = play(actors, events, choices, deviations, kills=1)
        self._finish(whole, key)

        self._judge(books, key, story)

    def _work(self, whole: Pipeline, books: dict[str, Books], actor: Actor) -> None:
        mine = replace(
            whole,
            store=SteppedStore(self.store, actor),
            adapter_for=lambda code: Watched(books[code], actor),
            worker=actor.name,
        )
        run_once(mine) if actor.name == "first" else post_due(mine, "P100", 10)

    def _act(self, key: int, actor: Actor) -> None:
        store = SteppedStore(self.store, actor)
        with store.writing() as session:
            requeue(session, [key], "ada", self.clock())
        self._order(key, store)
        with store.writing() as session:
            try:
                discard(session, [key], "ada", "not needed", self.clock())
            except DeadLetterError:
                return

    def _order(self, key: int, store: Store) -> None:
        with store.writing() as session:
            try:
                reverse(session, key, "wrong", "ada", self.clock(), lambda _plant: 4)
            except DeadLetterError:
                return

    def _finish(self, whole: Pipeline, key: int) -> None:
        """What the relay would bring about, and a person for what is dead."""
        for _ in range(12):
            if not self.posted and states(self.store, key)[0] in ("posted", "discarded", "compensated"):
                return
            if self.posted and states(self.store, key) == ["compensated"]:
                return
            self.clock.pass_time(400)
            with self.store.writing() as session:
                requeue(session, [key], "ada", self.clock())
            run_once(whole)

    def _judge(self, books: dict[str, Books], key: int, story: list[str]) -> None:
        (state,) = states(self.store, key)
        held = [_held(each, story) for each in books.values()]
        assert state in ("posted", "discarded", "compensated"), story
        assert state == "compensated" or not self.posted, story
        assert held == ([1, 1] if state == "posted" else [0, 0]), (state, story)


def _held(books: Books, story: list[str]) -> int:
    reversals = [document["reverses"] for document in books.documents if "reverses" in document]
    keys = [key for key, _ in books.effects]
    assert len(keys) == len(set(keys)), story
    assert len(reversals) == len(set(reversals)), story
    return len(keys) - 2 * len(reversals)


def test_in_every_order_of_steps_all_or_nothing_is_held(sqlite_store: Store) -> None:
    """Of the ordered reversal; after a refusal there are four times as many orders, of which chance draws some."""
    scene = Scene(_unflushed(sqlite_store), posted=True)

    count = every_schedule(lambda choices: scene.play(choices, 1))

    assert count > 40


@pytest.mark.parametrize("posted", [False, True], ids=["refused", "ordered"])
def test_in_orders_by_chance_all_or_nothing_is_held(sqlite_store: Store, posted: bool) -> None:
    scene = Scene(_unflushed(sqlite_store), posted)

    for seed in range(DRAWN):
        scene.play(DrawnChoices(seed), deviations=8)


def _unflushed(store: Store) -> Store:
    """Nobody pulls this computer's plug; a thousand flushes to its disk would be most of the test's time."""
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous=OFF"))
    return store
