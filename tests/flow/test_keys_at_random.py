"""Whatever arrives when, dies, is requeued or discarded: each key takes effect by its sequence, and holds no other."""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import discard, requeue
from app.errors import Refused
from app.inbox.accept import Incoming
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology import GaplessSequence
from tests.factories import NOON, accept, know_items, move_event, pipeline
from tests.fakes import Books

pytestmark = pytest.mark.slow

KEYS, NUMBERS = 3, 4
EVERY = tuple(itertools.product(range(KEYS), range(1, NUMBERS + 1)))
PLACES = st.sampled_from(EVERY)
ACTS = st.one_of(
    st.tuples(st.just("arrive"), PLACES),
    st.tuples(st.just("arrive"), PLACES),
    st.tuples(st.sampled_from(("work", "requeue", "discard")), st.integers(1, 3)),
)
# A few in each run, other ones each time; some hundreds by hand where order is touched.
EXAMPLES = 8
EXAMPLE = itertools.count(1)


@dataclass
class World(Books):
    """A target that refuses each document as often as ``refusals`` says, and knows what must not come yet."""

    store: Store
    gapless: bool
    refusals: Counter[tuple[int, int]]
    name: str
    unfinished: dict[int, set[int]] = field(default_factory=lambda: {key: set() for key in range(KEYS)})
    ended: dict[int, set[int]] = field(default_factory=lambda: {key: set() for key in range(KEYS)})
    ids: dict[tuple[int, int], int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def line(self) -> Pipeline:
        whole = pipeline(self.store, {"erp": self})
        rule = GaplessSequence() if self.gapless else None
        source = replace(whole.topology.sources["mes"], gapless_sequence=rule)
        return replace(whole, topology=replace(whole.topology, sources={"mes": source}))

    def post(self, request: PostingRequest) -> TargetAnswer:
        data = request.document["data"]
        key, number = int(data["lot"].partition("/")[2]), int(data["quantity"]["value"])
        self._judge(key, number)
        if self.refusals[key, number]:
            self.refusals[key, number] -= 1
            raise Refused("bad", "No.")
        self._end(key, number)
        return super().post(request)

    def _judge(self, key: int, number: int) -> None:
        before = self.unfinished[key] if not self.gapless else set(range(1, number)) - self.ended[key]
        if early := {other for other in before if other < number}:
            self.wrong.append(f"{key}/{number} before {sorted(early)}")

    def _end(self, key: int, number: int) -> None:
        self.unfinished[key].discard(number)
        self.ended[key].add(number)

    def arrive(self, *places: tuple[int, int]) -> None:
        new = [place for place in dict.fromkeys(places) if place not in self.ids]
        if new:
            self.ids |= dict(zip(new, accept(self.store, *map(self._event, new)), strict=True))
        for key, number in new:
            self.unfinished[key].add(number)

    def _event(self, place: tuple[int, int]) -> Incoming:
        key, number = place
        event = move_event(f"{self.name}/{key}/{number}", lot=f"{self.name}/{key}", sequence=str(number))
        return replace(event, body=event.body.replace(b'"value": "2"', f'"value": "{number}"'.encode()))

    def work(self, up_to: int) -> None:
        line = self.line()
        transform_due(line, "P100", 100)
        enrich_due(line, "P100", 100)
        post_due(line, "P100", up_to)

    def dead(self) -> list[tuple[int, int]]:
        with self.store.reading() as session:
            query = select(Message.id).where(Message.id.in_(self.ids.values()), Message.state == "dead")
            found = set(session.scalars(query))
        return sorted(place for place, message_id in self.ids.items() if message_id in found)

    def requeue(self, which: int) -> None:
        with self.store.writing() as session:
            requeue(session, [self.ids[place] for place in self.dead()[:which]], "ada", NOON)

    def discard(self, which: int) -> None:
        chosen = self.dead()[-which:]
        with self.store.writing() as session:
            discard(session, [self.ids[place] for place in chosen], "ada", "counted by hand", NOON)
        for place in chosen:
            self._end(*place)

    def settle(self, discards: bool) -> None:
        """All arrives, and whoever is dead is discarded, or requeued until nothing refuses it any more."""
        self.arrive(*EVERY)
        for _ in range(40):
            if not any(self.unfinished.values()):
                return
            self.work(100)
            self.discard(len(EVERY)) if discards else self.requeue(len(EVERY))

    def keys_free(self) -> set[int]:
        return set(range(KEYS)) - {key for key, _ in self.dead()}


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gapless=st.booleans(),
    discards=st.booleans(),
    refusals=st.dictionaries(PLACES, st.integers(1, 2), max_size=4),
    acts=st.lists(ACTS, max_size=12),
)
def test_each_key_takes_effect_by_its_sequence_and_holds_no_other(
    sqlite_store: Store,
    gapless: bool,
    discards: bool,
    refusals: dict[tuple[int, int], int],
    acts: list[tuple[str, object]],
) -> None:
    know_items(sqlite_store)
    world = World(sqlite_store, gapless, Counter(refusals), f"E{next(EXAMPLE)}")

    for name, value in acts:
        getattr(world, name)(value)
    for _ in range(NUMBERS + 1):
        before = len(world.effects)
        world.work(100)
        if len(world.effects) == before:
            break
    left = {key: {n for n in world.unfinished[key] if _may_go(world, key, n)} for key in world.keys_free()}
    world.settle(discards)

    assert world.wrong == []
    assert not any(left.values()), left
    assert not any(world.unfinished.values()), world.unfinished
    effects = Counter((document["data"]["lot"], document["data"]["quantity"]["value"]) for document in world.documents)
    assert set(effects.values()) <= {1}


def _may_go(world: World, key: int, number: int) -> bool:
    """Whether nothing of its key, which is free of dead letters, stands before it."""
    return not world.gapless or not set(range(1, number)) - world.ended[key] - world.unfinished[key]
