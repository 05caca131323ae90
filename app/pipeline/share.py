"""How many threads of a post worker each plant may hold: one whose target hangs leaves the others theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from threading import Lock

from config.topology import Plant

# What those who were turned away had to do is done by those who work for the plant, up to so many messages.
OWED_MOST = 400


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
        self._lock = Lock()

    def enter(self, plant: str, up_to: int) -> bool:
        """Hold a thread for the plant. False: none is left for it, and its ``up_to`` messages are others' to do."""
        with self._lock:
            if self._may_hold(plant):
                self._held[plant] += 1
                return True
            self._owe(plant, up_to)
            return False

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

    def _owe(self, plant: str, messages: int) -> None:
        if messages > 0 and self._held[plant] > 0:
            self._owed[plant] = min(OWED_MOST, self._owed[plant] + messages)

    def _may_hold(self, plant: str) -> bool:
        held = self._held[plant]
        if plant in self._fixed:
            return held < self._fixed[plant]
        return held < self._even or 2 * (self._threads - self._held.total()) > self._threads
