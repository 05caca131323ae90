"""Work on what is due when no permit comes for it: a silent broker, or a relay or beat that is gone, costs seconds.

Each worker process has one. While permits come it does nothing at all, and no step cares who began it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.inbox.claim import count_due
from app.inbox.states import Step
from app.pipeline.context import Pipeline

log = structlog.get_logger()

# The relay sends permits for what is due every second; what is due for longer, with none coming, has been forgotten.
SILENCE_SECONDS = 5.0
# In a silence, what is due waits so long.
LOOK_EVERY_SECONDS = 1.0

Work = Callable[[Pipeline, str, int], Sequence[int]]


@dataclass
class WithoutPermits:
    """``steps``: what this process works on, in order. ``plants_at_once``: a plant whose target hangs holds one of
    these places, and no other plant."""

    pipeline: Pipeline
    steps: Mapping[Step, Work]
    up_to: int
    plants_at_once: int
    monotonic: Callable[[], float] = time.monotonic
    silent: bool = False
    _heard_at: float = field(init=False)
    _working: dict[str, threading.Thread] = field(default_factory=dict)
    _first: int = 0

    def __post_init__(self) -> None:
        self._heard_at = self.monotonic()

    def permit_came(self) -> None:
        self._heard_at, self.silent = self.monotonic(), False

    def run(self) -> None:
        """Until the process ends; in a thread of its own."""
        while True:
            time.sleep(LOOK_EVERY_SECONDS if self.silent else SILENCE_SECONDS / 2)
            self.look()

    def look(self) -> None:
        """Begin with each plant that nobody here works on and that there is a place for; the next look begins behind
        the last of them, so that every plant has its turn."""
        if self.monotonic() - self._heard_at < SILENCE_SECONDS:
            return
        plants = list(self.pipeline.topology.plants)
        for plant in plants[self._first :] + plants[: self._first]:
            self._working = {code: thread for code, thread in self._working.items() if thread.is_alive()}
            if len(self._working) >= self.plants_at_once:
                return
            if plant not in self._working:
                self._working[plant] = threading.Thread(target=self._work, args=(plant,), name=plant, daemon=True)
                self._working[plant].start()
                self._first = (plants.index(plant) + 1) % len(plants)

    def wait(self) -> None:
        """Until everything that was begun has ended."""
        for thread in self._working.values():
            thread.join()

    def _work(self, plant: str) -> None:
        try:
            found = False
            for step, work in self.steps.items():
                # What one step has done is due for the next at once.
                if found or self._overdue(plant, step):
                    found = True
                    self._note_silence()
                    work(self.pipeline, plant, self.up_to)
        except (DBAPIError, PoolTimeout, OSError) as error:
            log.warning("work_must_wait", plant=plant, error=type(error).__name__)

    def _overdue(self, plant: str, step: Step) -> bool:
        since = timedelta(seconds=LOOK_EVERY_SECONDS if self.silent else SILENCE_SECONDS)
        with self.pipeline.store.reading() as session:
            return count_due(session, plant, step, self.pipeline.clock() - since, limit=1) > 0

    def _note_silence(self) -> None:
        if not self.silent:
            log.warning("works_without_permits", silent_seconds=round(self.monotonic() - self._heard_at))
        self.silent = True
