"""How many threads of a post worker each plant may hold: one whose target hangs leaves the others theirs."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from threading import Lock, get_ident

from config.topology import Plant

# What those who were turned away had to do is done by those who work for the plant, up to so many messages.
OWED_MOST = 400
# So many threads of a plant are enough while its targets answer quickly: one has the database's part while the other
# calls. More of them would each take less along, and a visit costs several times what a message in it does.
QUICK_THREADS = 2
# A thread whose calls take longer than this may be held up by a target, and counts as none of them.
QUICK_CALLS_SECONDS = 0.1


class Shares:
    """The threads of one process. A plant may always hold its share. More than that it may hold only while more than
    half of all threads are free, so that one busy plant uses what nobody needs. A share that the topology gives
    (``post_share``) is exact.

    Counted in the process and not in the database: it is this process's threads that are shared out, whatever lanes
    other workers hold, and a killed worker holds none of them.
    """

    def __init__(self, threads: int, plants: Collection[Plant]) -> None:
        self._threads = threads
        self._fixed = {plant.code: plant.post_share for plant in plants if plant.post_share is not None}
        self._even = max(1, threads // max(1, len(plants)))
        self._held: Counter[str] = Counter()
        self._owed: Counter[str] = Counter()
        self._calling: defaultdict[str, dict[int, float]] = defaultdict(dict)
        self._lock = Lock()

    def enter(self, plant: str, up_to: int, quick: bool = False) -> bool:
        """Hold a thread for the plant, whose targets answer quickly (``quick``) or may not. False: none is left for it,
        or enough are at work, and its ``up_to`` messages are theirs to do."""
        with self._lock:
            if self._may_hold(plant) and not (quick and self._is_enough(plant)):
                self._held[plant] += 1
                return True
            self._owe(plant, up_to)
            return False

    @contextmanager
    def calling(self, plant: str) -> Iterator[None]:
        """The thread that entered waits for the plant's targets while the block runs."""
        with self._lock:
            self._calling[plant][get_ident()] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                self._calling[plant].pop(get_ident(), None)

    def go_on(self, plant: str) -> int:
        """How many messages were left to us meanwhile. Where there are none, the thread is given up by this."""
        with self._lock:
            owed = self._owed.pop(plant, 0)
            if not owed:
                self._held[plant] -= 1
            return owed

    def leave(self, plant: str, undone: int = 0) -> None:
        """Give the thread up; what is undone is left to those that go on."""
        with self._lock:
            self._held[plant] -= 1
            self._owe(plant, undone)

    def _is_enough(self, plant: str) -> bool:
        since = time.monotonic() - QUICK_CALLS_SECONDS
        held_up = sum(began < since for began in self._calling[plant].values())
        return self._held[plant] - held_up >= QUICK_THREADS

    def _owe(self, plant: str, messages: int) -> None:
        if messages > 0 and self._held[plant] > 0:
            self._owed[plant] = min(OWED_MOST, self._owed[plant] + messages)

    def _may_hold(self, plant: str) -> bool:
        held = self._held[plant]
        if plant in self._fixed:
            return held < self._fixed[plant]
        return held < self._even or 2 * (self._threads - self._held.total()) > self._threads
