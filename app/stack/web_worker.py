"""gunicorn's threaded worker, with connections shared evenly among workers.

Workers listen on one socket, and whoever is awake takes what comes: after a burst one of them may hold all keep-alive
connections, and the others' processors stand idle for as long as these last. So a worker leaves a connection to a
sibling that has fewer, and takes it all the same where that one does not come for it. Where it has far more all the
same, as after a start or a restart of its sibling, it closes connections in good order behind an answer, and their
clients come again.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

MORE_THAN_OTHERS = 2
FAR_MORE_TIMES, FAR_MORE, FAR_MORE_SECONDS = 1.5, 4, 0.5
ASKS_AGAIN_SECONDS = 0.002
LEAVES_SECONDS = 0.25
# A worker tells at least once a second how many it has; one that does not is busy or hangs, and nothing is left to it.
FRESH_SECONDS = 2.5

_SLOT = struct.Struct("qqd")  # process, connections, and when it told so by the monotonic clock
_SLOTS = 64  # as many as there may be workers (LINESIDE_WEB_WORKERS)
# Made when the class is loaded, by the process that all workers are forked from.
_held = mmap.mmap(-1, mmap.PAGESIZE)
_SLOTTED = memoryview(_held)[: _SLOTS * _SLOT.size]


class EvenThreadWorker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, age: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(age, *args, **kwargs)
        self._slot = age % _SLOTS * _SLOT.size
        self._leaves_since: float | None = None
        self._far_more_since: float | None = None
        self._asks_from = 0.0

    def accept(self, listener: Any) -> None:
        now = time.monotonic()
        since = self._leaves_since if self._leaves_since is not None else now
        if now - since < LEAVES_SECONDS and self._a_sibling_has_fewer():
            self._leaves_since, self._asks_from = since, now + ASKS_AGAIN_SECONDS
            self.set_accept_enabled(False)
            return
        self._leaves_since = None
        super().accept(listener)
        self._tell()

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled and time.monotonic() >= self._asks_from)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        self._tell()
        left = self._asks_from - time.monotonic()
        super().wait_for_and_dispatch_events(min(timeout, left) if left > 0 else timeout)

    @property
    def max_keepalived(self) -> int:
        """How many connections it keeps behind their answers: gunicorn's limit, or none while it has had far too many
        for a while; a burst is still being shared."""
        if self.nr_conns <= FAR_MORE or self._siblings_least() * FAR_MORE_TIMES + FAR_MORE >= self.nr_conns:
            self._far_more_since = None
            return self._most_kept
        since = self._far_more_since = self._far_more_since or time.monotonic()
        return 0 if time.monotonic() - since > FAR_MORE_SECONDS else self._most_kept

    @max_keepalived.setter
    def max_keepalived(self, most: int) -> None:
        self._most_kept = most

    def _tell(self) -> None:
        _SLOT.pack_into(_held, self._slot, os.getpid(), self.nr_conns, time.monotonic())

    def _a_sibling_has_fewer(self) -> bool:
        return bool(self._siblings_least() < self.nr_conns - MORE_THAN_OTHERS)

    def _siblings_least(self) -> float:
        """How many connections the sibling with the fewest has; infinite where there is none."""
        since = time.monotonic() - FRESH_SECONDS
        slots = ((place * _SLOT.size, slot) for place, slot in enumerate(_SLOT.iter_unpack(_SLOTTED)))
        others = (
            (held, pid) for start, (pid, held, told_at) in slots if start != self._slot and pid and told_at > since
        )
        return next((held for held, pid in sorted(others) if _lives(pid)), math.inf)


def _lives(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return True
    return False
