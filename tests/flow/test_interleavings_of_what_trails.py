"""Two workers, the clock and a person, in every order of their steps around what trails: once, in order, all or
nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.reversal import reverse
from app.errors import OutcomeUnknown, Transient
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline
from tests.fakes import Books, Clock
from tests.flow.schedules import Actor, Choices, DrawnChoices, SteppedStore, every_schedule, play, unflushed
from tests.reading import message, states

pytestmark = pytest.mark.slow

DRAWN = 5


class Watched(Books):
    """Books that let the caller stop once it has posted."""

    def __init__(self, books: Books, caller: Actor) -> None:
        self.books, self.caller = books, caller

    def post(self, request: PostingRequest) -> TargetAnswer:
        answer = self.books.post(request)
        self.caller.pause()
        return answer

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        return self.books.find(request)

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        return self.books.reverse(request, reference)


@dataclass
class Scene:
    """Two messages of a key for an ERP and for planning, which is not required, and fails at first; in a database that
    many schedules use one after another. ``reversed``: a person has the first reversed as soon as it is posted."""

    store: Store
    reversed: bool
    workers: int = 2
    clock: Clock = field(default_factory=lambda: Clock(NOON))
    number: int = 0

    def __post_init__(self) -> None:
        know_items(self.store)

    def play(self, choices: Choices, deviations: int) -> None:
        self.number += 1
        self.clock.pass_time(10_000)
        books = {"erp": Books(), "planning": Books()}
        whole = pipeline(self.store, books, self.clock, optional=("planning",))
        lot = f"L{self.number}"
        times = [f"2026-03-02T0{n}:00:00Z" for n in (1, 2)]
        events = [move_event(f"{lot}-{at}", lot=lot, at=at) for at in times]
        ids = accept(self.store, *events, at=self.clock())
        transform_due(whole, "P100", 10)
        enrich_due(whole, "P100", 10)
        books["planning"].before, books["planning"].after = [Transient("down")], [OutcomeUnknown("no answer")]
        actors = [
            Actor("first", lambda actor: self._work(whole, books, actor, times=2)),
            Actor("person", lambda actor: self._order(ids[0], actor)),
        ]
        if self.workers == 2:
            actors.insert(1, Actor("second", lambda actor: self._work(whole, books, actor, times=1)))
        passing = {"a minute": lambda: self.clock.pass_time(61), "an hour": lambda: self.clock.pass_time(3_000)}

        story = play(actors, passing, choices, deviations, kills=1)
        self._finish(whole, ids)

        self._judge(books, ids, story)

    def _work(self, whole: Pipeline, books: dict[str, Books], actor: Actor, times: int) -> None:
        store = SteppedStore(self.store, actor)
        mine = replace(whole, store=store, adapter_for=lambda code: Watched(books[code], actor), worker=actor.name)
        for _ in range(times):
            post_due(mine, "P100", 10)

    def _order(self, key: int, actor: Actor) -> None:
        with SteppedStore(self.store, actor).writing() as session:
            if self.reversed and states(self.store, key) == ["posted"]:
                reverse(session, key, "wrong", "ada", self.clock(), lambda _plant: 4)

    def _finish(self, whole: Pipeline, ids: list[int]) -> None:
        """What the relay would bring about."""
        for _ in range(12):
            if all(message(self.store, key).step is None for key in ids):
                return
            self.clock.pass_time(400)
            post_due(whole, "P100", 10)

    def _judge(self, books: dict[str, Books], ids: list[int], story: list[str]) -> None:
        first, second = states(self.store, *ids)
        assert [message(self.store, key).step for key in ids] == [None, None], story
        assert (first in ("posted", "compensated"), second) == (True, "posted"), story
        for each in books.values():
            keys = [key for key, _ in each.effects]
            sent = [document["data"]["event_time"] for document in each.documents if "data" in document]
            reversals = [document["reverses"] for document in each.documents if "reverses" in document]
            assert len(keys) == len(set(keys)), story
            assert sent == sorted(sent), story
            assert len(sent) - len(reversals) == (2 if first == "posted" else 1), story


def test_in_every_order_of_steps_what_trails_is_made_once_and_in_order(sqlite_store: Store) -> None:
    """Of one worker and a person; with a second worker there are ten times as many, of which chance draws some."""
    scene = Scene(unflushed(sqlite_store), reversed=True, workers=1)

    count = every_schedule(lambda choices: scene.play(choices, 1))

    assert count > 30, count


@pytest.mark.parametrize("is_reversed", [False, True], ids=["posted", "reversed"])
def test_in_orders_by_chance_what_trails_is_made_once_and_in_order(sqlite_store: Store, is_reversed: bool) -> None:
    scene = Scene(unflushed(sqlite_store), is_reversed)

    for seed in range(DRAWN):
        scene.play(DrawnChoices(seed), deviations=8)
