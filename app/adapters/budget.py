"""The time that one question or posting has as a whole, however many calls its target needs for it.

It belongs to the thread that asks or posts; what is called from there sees it without being handed it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Budget:
    """``ends_at``: by the monotonic clock; ``seconds``: how much it was at the beginning. ``has_written``: whether a
    call took effect within it that was not the last, so that its end does not leave the target as it was."""

    ends_at: float = math.inf
    seconds: float = math.inf
    has_written: bool = False

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self.ends_at


_current: ContextVar[Budget | None] = ContextVar("current_budget", default=None)


def current_budget() -> Budget:
    """That of this thread's question or posting; without end where there is none."""
    return _current.get() or Budget()


@contextmanager
def all_within(seconds: float) -> Iterator[Budget]:
    """All calls made in the block end within so many seconds together; within a shorter budget, by its end."""
    with all_by(time.monotonic() + seconds, seconds) as budget:
        yield budget


@contextmanager
def all_by(ends_at: float, seconds: float = math.inf) -> Iterator[Budget]:
    """The same until a moment of the monotonic clock."""
    budget = Budget(min(ends_at, current_budget().ends_at), seconds)
    token = _current.set(budget)
    try:
        yield budget
    finally:
        _current.reset(token)
