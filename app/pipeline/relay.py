"""The relay: whatever is due gets a permit, whatever was counted is folded, whatever is dead is mirrored.

It only ever asks the database what is due, so retries, waits, requeues, crashed workers and a wiped broker are all the
same to it. Two relays at once are harmless; a lease lets one of them work.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

import structlog
from sqlalchemy import select

from app.completeness.rounds import BookKeeping
from app.dispatch import BROKER_ERRORS, Dispatcher
from app.inbox.claim import count_due, new_token
from app.inbox.lanes import ensure_lanes
from app.inbox.states import State, Step
from app.inbox.wakes import wake_portion
from app.pipeline.context import Pipeline
from app.pipeline.reference_data import ITEMS_LEASE, SYNC_EVERY_SECONDS
from app.pipeline.set_back import ClockMend
from app.pipeline.wake_targets import wake_for_targets
from app.postings.pauses import read_pauses
from app.processes.rounds import Endings
from app.projections.effects import is_anything_left
from app.store.by_state import STATE_ORDER, within_state
from app.store.counts import fold_changes, message_counts
from app.store.leases import lease_end, lease_is_free, take_lease
from app.store.messages_tables import Message
from config.queues import dead_queue, post_queue, work_queue

log = structlog.get_logger()

LEASE_SECONDS = 10.0
# Permits of one kind that may lie on a plant's queue before the relay adds no more.
PERMITS_LIMIT = 8
# So many portions of what waits for the same thing are woken a round; each is some hundreds.
WAKE_PORTIONS = 4
# The mirror shows at most this many dead letters a plant: beyond that the broker's number says "at least".
MIRROR_LIMIT = 10_000
# A mirror of n dead letters is renewed at most every n / 500 seconds, so that it stays cheap in a flood.
MIRROR_ROWS_PER_SECOND = 500.0

StepName = Literal["transform", "enrich", "post"]


@dataclass
class Relay:
    """One relay process's memory: its token, what it mirrored last, and how many it woke for each target."""

    pipeline: Pipeline
    dispatcher: Dispatcher
    batch_size: int
    token: str = field(default_factory=new_token)
    mirrored: dict[str, tuple[float, int]] = field(default_factory=dict)
    clock_mend: ClockMend = field(default_factory=ClockMend)
    book_keeping: BookKeeping = field(default_factory=BookKeeping)
    endings: Endings = field(default_factory=Endings)
    portions: dict[str, int] = field(default_factory=dict)
    lanes_known: bool = False

    def tick(self) -> dict[str, int]:
        """One round; returns how many messages each plant has due. Does nothing while another relay works."""
        now = self.pipeline.clock()
        with self.pipeline.store.writing() as session:
            last_tick = lease_end(session, "relay") - timedelta(seconds=LEASE_SECONDS)
            if not take_lease(session, "relay", self.token, now, LEASE_SECONDS):
                return {}
            changed = fold_changes(session)
            if not self.lanes_known:  # the topology may have gained a plant or lanes since the database was prepared
                ensure_lanes(session, [(plant.code, plant.lanes) for plant in self.pipeline.topology.plants.values()])
        self.lanes_known = True
        self.clock_mend.tick(self.pipeline, last_tick)
        self.endings.tick(self.pipeline.store, now)
        self.book_keeping.tick(self.pipeline.store, self.pipeline.topology, now, last_tick)
        wake_for_targets(self.pipeline, self.portions)
        self._wake_portions()
        with self.pipeline.store.reading() as session:
            paused, _ = read_pauses(session)
        due = {plant: self._due(plant) for plant in self.pipeline.topology.plants if plant not in paused}
        try:
            self._top_up(due)
            self._mirror(changed)
        except BROKER_ERRORS as error:
            log.warning("broker_unreachable", error=type(error).__name__)
        return {plant: sum(steps.values()) for plant, steps in due.items()}

    def _wake_portions(self) -> None:
        """Some portions of what too many wait for, each in a transaction of its own."""
        for _ in range(WAKE_PORTIONS):
            with self.pipeline.store.writing() as session:
                if not wake_portion(session, self.pipeline.clock()):
                    return

    def items_are_due(self) -> bool:
        """Whether master data should be read again; the reading itself is another worker's, as an ERP may be slow."""
        with self.pipeline.store.reading() as session:
            return lease_is_free(session, ITEMS_LEASE, self.pipeline.clock(), SYNC_EVERY_SECONDS)

    def effects_are_due(self) -> bool:
        """Whether anything that took effect is still to be entered into the projections."""
        with self.pipeline.store.reading() as session:
            return is_anything_left(session)

    def _due(self, plant: str) -> dict[Step, int]:
        with self.pipeline.store.reading() as session:
            now = self.pipeline.clock()
            return {step: count_due(session, plant, step, now) for step in Step}

    def _top_up(self, due: dict[str, dict[Step, int]]) -> None:
        """Permits for what is due, less those that still lie on the queues."""
        wanted = [plant for plant, steps in due.items() if any(steps.values())]
        queues = [name(plant) for plant in wanted for name in (work_queue, post_queue)]
        depths = self.dispatcher.depths(queues) if queues else {}
        for plant in wanted:
            steps = due[plant]
            work_free = PERMITS_LIMIT - depths[work_queue(plant)]
            post_free = PERMITS_LIMIT - depths[post_queue(plant)]
            self._permit(plant, "transform", steps[Step.TRANSFORM], work_free)
            self._permit(plant, "enrich", steps[Step.ENRICH], work_free)
            self._permit(plant, "post", steps[Step.POST], post_free)

    def _permit(self, plant: str, step: StepName, due: int, free: int) -> None:
        count = min(due, max(0, free) * self.batch_size)
        if count:
            self.dispatcher.send_permits(plant, step, count)

    def _mirror(self, changed: Counter[tuple[str, str, str]]) -> None:
        """Bring each plant's dead queue in step with the database, where anything died, was requeued or was lost."""
        with self.pipeline.store.reading() as session:
            counts = message_counts(session)
        touched = {plant for plant, _, state in changed if state == State.DEAD.value}
        depths = self.dispatcher.depths([dead_queue(plant) for plant in self.pipeline.topology.plants])
        for plant in self.pipeline.topology.plants:
            dead = sum(n for (where, _, state), n in counts.items() if where == plant and state == State.DEAD.value)
            last, shown = self.mirrored.get(plant, (0.0, -1))
            stale = plant in touched or shown != dead or depths[dead_queue(plant)] != min(dead, MIRROR_LIMIT)
            if stale and time.monotonic() - last >= dead / MIRROR_ROWS_PER_SECOND:
                self._mirror_plant(plant)
                self.mirrored[plant] = (time.monotonic(), dead)
            elif stale:
                self.mirrored[plant] = (last, -1)

    def _mirror_plant(self, plant: str) -> None:
        query = (
            select(Message.id, Message.source, Message.type, Message.reason_code)
            .where(within_state(plant, State.DEAD.value))
            .order_by(*(column.desc() for column in STATE_ORDER))
            .limit(MIRROR_LIMIT)
        )
        with self.pipeline.store.reading() as session:
            bodies = [row._asdict() for row in session.execute(query)]
        self.dispatcher.mirror_dead(plant, bodies, replace=True)
