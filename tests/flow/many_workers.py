"""Workers that fall at random: killed around any call and any commit, or suspended for longer than their leases."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.decide import NotDecidable
from app.dead_letters.posting_requeue import requeue_posting
from app.dead_letters.repair import requeue
from app.errors import OutcomeUnknown, Refused, Transient
from app.inbox.states import State
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.postings.ledger import PostingState
from app.store.counts import fold_changes
from app.store.messages_tables import Message
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import pipeline
from tests.fakes import Books, Clock, Killed

PLANTS = ("P100", "P200", "P300")
STEPS = (transform_due, enrich_due, post_due, post_due)


class Weather:
    """Whether something goes wrong now. Seeded; one for all threads."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calm = False
        self._lock = threading.Lock()
        self._woken = threading.Event()
        self.suspended: list[threading.Event] = []
        self.kills = 0

    def strikes(self, chance: float) -> bool:
        with self._lock:
            return not self.calm and self.random.random() < chance

    def may_kill(self, chance: float) -> None:
        if self.strikes(chance):
            self.kills += 1
            raise Killed

    def may_suspend(self, chance: float) -> None:
        """At most one worker at a time, until ``resume``; the others and the clock go on."""
        if not self.strikes(chance):
            return
        with self._lock:
            if self.suspended:
                return
            until = threading.Event()
            self.suspended.append(until)
        until.wait(30)

    def resume(self) -> None:
        with self._lock:
            for until in self.suspended:
                until.set()
            self.suspended.clear()


class Moody(Books):
    """Books in bad weather."""

    def __init__(self, weather: Weather) -> None:
        super().__init__()
        self.weather = weather

    def post(self, request: PostingRequest) -> TargetAnswer:
        self._fail()
        self.weather.may_kill(0.02)
        answer = super().post(request)
        self.weather.may_kill(0.02)
        if self.weather.strikes(0.06):
            raise OutcomeUnknown("no answer")
        if self.weather.strikes(0.02):
            raise KeyError("id")
        return answer

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        self._fail()
        answer = super().find(request)
        self.weather.may_suspend(0.05)
        self.weather.may_kill(0.02)
        return answer

    def _fail(self) -> None:
        if self.weather.strikes(0.08):
            raise Transient("busy")
        if self.weather.strikes(0.06):
            raise OutcomeUnknown("connection lost")
        if self.weather.strikes(0.02):
            raise Refused("period_closed", "The period is closed.")


class MortalStore(Store):
    """The same database, used by a worker that may fall before, between and after its transactions."""

    def __init__(self, store: Store, weather: Weather) -> None:
        self.url, self.engine, self.weather = store.url, store.engine, weather

    @contextmanager
    def writing(self) -> Iterator[Session]:
        self.weather.may_suspend(0.02)
        with super().writing() as session:
            yield session
            self.weather.may_kill(0.02)
        self.weather.may_kill(0.02)


@dataclass
class Plants:
    """Several workers over one database, one clock and three targets. ``planning`` is an optional target."""

    store: Store
    seed: int
    clock: Clock
    workers: int = 4
    weather: Weather = field(init=False)
    targets: dict[str, Moody] = field(init=False)
    lines: list[Pipeline] = field(init=False)
    busy: dict[int, Future[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.weather = Weather(self.seed)
        self.targets = {code: Moody(self.weather) for code in ("erp", "planning", "wms")}
        whole = pipeline(self.store, self.targets, self.clock, optional=("planning",), wait_seconds=10**7)
        mortal = MortalStore(self.store, self.weather)
        jitter = random.Random(self.seed).uniform
        self.lines = [
            replace(whole, store=mortal, worker=f"worker-{number}", lease_seconds=30, jitter=jitter)
            for number in range(self.workers)
        ]

    def run(self, rounds: int) -> None:
        """In every round each worker does one thing; between rounds time passes."""
        chance = random.Random(self.seed + 1)
        with ThreadPoolExecutor(self.workers) as pool:
            for _ in range(rounds):
                self._round(pool, chance)
                self.clock.pass_time(chance.choice((0.5, 2, 8, 20, 45)))
                if chance.random() < 0.3:
                    self.weather.resume()
            self.weather.calm = True
            self.weather.resume()

    def finish(self, bound: int = 300) -> None:
        """Fair weather, until nothing is left to do."""
        chance = random.Random(self.seed + 2)
        with ThreadPoolExecutor(self.workers) as pool:
            for _ in range(bound):
                if self._all_posted():
                    return
                self._round(pool, chance)
                self.clock.pass_time(30)

    def _round(self, pool: ThreadPoolExecutor, chance: random.Random) -> None:
        for number, line in enumerate(self.lines):
            if number not in self.busy:
                self.busy[number] = pool.submit(_fall_or, self._task(line, chance))
        for number, future in list(self.busy.items()):
            while not future.done() and not (self.weather.suspended and _others_done(self.busy, 1)):
                _wait(future)
            if future.done():
                del self.busy[number]
                future.result()

    def _task(self, line: Pipeline, chance: random.Random) -> Callable[[], object]:
        step, plant, up_to = chance.choice(STEPS), chance.choice(PLANTS), chance.choice((1, 3, 20))
        kind = chance.random()
        if kind < 0.06:
            return lambda: _requeue_all(line)
        if kind < 0.12:
            return lambda: _fold(line)
        return lambda: step(line, plant, up_to)

    def _all_posted(self) -> bool:
        with self.store.reading() as session:
            left = or_(Message.state != State.POSTED.value, Message.step.is_not(None))
            return session.execute(select(Message.id).where(left).limit(1)).first() is None


def _others_done(busy: dict[int, Future[Any]], but: int) -> bool:
    return sum(not future.done() for future in busy.values()) <= but


def _wait(future: Future[Any]) -> None:
    try:
        future.exception(timeout=0.01)
    except TimeoutError:
        return


def _fall_or(task: Callable[[], object]) -> None:
    try:
        task()
    except Killed:
        return


def _requeue_all(line: Pipeline) -> None:
    with line.store.writing() as session:
        dead = session.execute(select(Message.id).where(Message.state == State.DEAD.value).limit(20)).scalars()
        requeue(session, list(dead), "ada", line.clock())
        left = (Posting.state == PostingState.UNKNOWN.value) & Posting.reason_code.is_not(None)
        for posting_id in session.execute(select(Posting.id).where(left).limit(20)).scalars().all():
            with suppress(NotDecidable):
                requeue_posting(session, posting_id, "the worker is well", "ada", line.clock(), line.topology.lanes_of)


def _fold(line: Pipeline) -> None:
    with line.store.writing() as session:
        fold_changes(session)
