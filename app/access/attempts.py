"""Slow down whoever guesses, without letting a guesser lock anybody else out for long."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

FREE_FAILURES = 5
LONGEST_WAIT_SECONDS = 60.0
FORGET_AFTER_SECONDS = 900.0
REMEMBERED = 10_000


@dataclass
class _Failures:
    count: int
    last_at: float


class Attempts:
    """Failed log-ins by name and address: after five, each further one doubles the wait, up to a minute.

    Kept by name *and* address, so that guesses from elsewhere do not keep the person out. In memory: a restart
    forgets, and each web process counts for itself, which multiplies the guesses by a handful, not by thousands.
    """

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._lock = Lock()
        self._failures: OrderedDict[tuple[str, str], _Failures] = OrderedDict()

    def wait_seconds(self, name: str, address: str) -> float:
        """How long from now until another attempt is looked at; 0 when it is now."""
        with self._lock:
            failures = self._failures.get((name, address))
            if failures is None or failures.count < FREE_FAILURES:
                return 0.0
            pause = min(LONGEST_WAIT_SECONDS, 2.0 ** min(failures.count - FREE_FAILURES, 10))
            return max(0.0, failures.last_at + pause - self._monotonic())

    def failed(self, name: str, address: str) -> None:
        with self._lock:
            now = self._monotonic()
            failures = self._failures.pop((name, address), None)
            if failures is None or now - failures.last_at > FORGET_AFTER_SECONDS:
                failures = _Failures(0, now)
            self._failures[name, address] = _Failures(failures.count + 1, now)
            while len(self._failures) > REMEMBERED:
                self._failures.popitem(last=False)

    def succeeded(self, name: str, address: str) -> None:
        with self._lock:
            self._failures.pop((name, address), None)
