"""The instant now, and what can be known of a clock that was set.

Everything that needs the instant is handed a clock; ``utc_now`` is the one that is handed outside of tests.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Lock

# Clocks are trimmed all the time; a step is more than that.
STEP_SECONDS = 5.0


def utc_now() -> datetime:
    return datetime.now(UTC)


class LeapWatch:
    """Notices that the wall clock was put forward, by the monotonic one beside it; a machine that was suspended looks
    the same. One instance a process, asked often."""

    def __init__(
        self, clock: Callable[[], datetime] = utc_now, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._lock = Lock()
        self._wall, self._steady = clock(), monotonic()
        self._leapt_at: float | None = None

    def leapt_within(self, seconds: float) -> bool:
        """Whether a leap was noticed less than ``seconds`` ago."""
        with self._lock:
            wall, steady = self._clock(), self._monotonic()
            if (wall - self._wall).total_seconds() - (steady - self._steady) > STEP_SECONDS:
                self._leapt_at = steady
            self._wall, self._steady = wall, steady
            return self._leapt_at is not None and steady - self._leapt_at < seconds


def never_leapt(_seconds: float) -> bool:
    return False
