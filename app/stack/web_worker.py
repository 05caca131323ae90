"""gunicorn's threaded worker, with connections shared evenly among workers.

Workers listen on one socket, and whoever is awake takes what comes: after a burst one of them may hold all keep-alive
connections, and the others' processors stand idle for as long as these last. So a worker leaves a connection to a
sibling that has fewer, and takes it all the same where that one does not come for it.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
from contextlib import suppress
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

MORE_THAN_OTHERS = 2
ASKS_AGAIN_SECONDS = 0.002
LEAVES_SECONDS = 0.25

_SLOT = struct.Struct("qq")  # process, connections
_SLOTS = mmap.PAGESIZE // _SLOT.size
# Made when the class is loaded, by the process that all workers are forked from.
_held = mmap.mmap(-1, mmap.PAGESIZE)


class EvenThreadWorker(ThreadWorker):  # type: ignore[misc]
    def __init__(self, age: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(age, *args, **kwargs)
        self._slot = age % _SLOTS * _SLOT.size
        self._leaves_since: float | None = None
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

    def _tell(self) -> None:
        _SLOT.pack_into(_held, self._slot, os.getpid(), self.nr_conns)

    def _a_sibling_has_fewer(self) -> bool:
        fewer = self.nr_conns - MORE_THAN_OTHERS
        return fewer > 0 and any(
            pid and held < fewer and start != self._slot and _lives(pid)
            for start, (pid, held) in (
                (place * _SLOT.size, pair) for place, pair in enumerate(_SLOT.iter_unpack(_held))
            )
        )


def _lives(pid: int) -> bool:
    with suppress(OSError):
        os.kill(pid, 0)
        return True
    return False
