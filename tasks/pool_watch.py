"""End a worker whose main loop has stopped turning, so that it is started anew.

The parent of Celery's prefork pool waits for its children at pipes, in two places without a bound (celery 5.7.0,
``AsynPool.flush`` and ``AsynPool._flush_outqueue``). Where a child is killed in the midst of a write while the broker's
connection is lost, it stays there for good: it takes no permit and heeds no SIGTERM. Seen under `lineside bench chaos`,
seed 4, on a machine with ten times more to do than it could.
"""

from __future__ import annotations

import faulthandler
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from celery.worker.consumer import Consumer

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 1.0
STILL_SECONDS = 30.0


def end_this_process() -> None:
    """Children end with their parent: each asked the kernel for that (``PR_SET_PDEATHSIG``) when it began."""
    log.error("worker_stands_still", seconds=STILL_SECONDS, mend="it ends itself, and its supervisor starts it anew")
    faulthandler.dump_traceback(all_threads=True)
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass
class LoopWatch:
    """Ends the process when the loop has not turned in ``looks`` looks in a row. Looks and not seconds are counted: a
    machine that slept has looked no more often than it has turned."""

    looks: int = round(STILL_SECONDS / LOOK_EVERY_SECONDS)
    end: Callable[[], None] = end_this_process
    _missed: int = 0
    _excused: bool = False
    _over: bool = False

    def turned(self) -> None:
        self._missed = 0

    @contextmanager
    def excused(self) -> Iterator[None]:
        """While it waits for something that may take any time, in steps that end by themselves."""
        self._excused = True
        try:
            yield
        finally:
            self._missed, self._excused = 0, False

    def stop(self) -> None:
        """The worker is ending; from here on its supervisor counts the seconds."""
        self._over = True

    def run(self) -> None:
        while not self._over:
            time.sleep(LOOK_EVERY_SECONDS)
            self.look()

    def look(self) -> None:
        self._missed = 0 if self._excused else self._missed + 1
        if self._missed > self.looks and not self._over:
            self.end()


class WatchedConsumer(Consumer):
    """Celery's consumer; in the parent of a prefork pool it is watched."""

    _watch: LoopWatch | None = None
    _turning: Any = None

    def register_with_event_loop(self, hub: Any) -> None:
        super().register_with_event_loop(hub)
        if type(self.pool).__module__ != "celery.concurrency.prefork":
            return
        if self._watch is None:
            self._watch = LoopWatch()
            threading.Thread(target=self._watch.run, name="loop-watch", daemon=True).start()
        if self._turning is not None:
            self._turning.cancel()
        self._turning = hub.call_repeatedly(LOOK_EVERY_SECONDS, self._watch.turned)

    def ensure_connected(self, conn: Any) -> Any:
        """A broker may be away for days; each attempt to reach it has a time-out of its own."""
        if self._watch is None:
            return super().ensure_connected(conn)
        with self._watch.excused():
            return super().ensure_connected(conn)

    def shutdown(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        super().shutdown()

    def stop(self) -> None:
        if self._watch is not None:
            self._watch.stop()
        super().stop()
