"""Threads of one process that wait for a database or a target get Python's lock back soon."""

from __future__ import annotations

import sys

SWITCH_SECONDS = 0.0005


def switch_often() -> None:
    """For a process whose threads wait much and work little each time. Python lets a thread that works keep its lock
    for 5 ms while others want it: who comes back from each of the twenty statements of a transaction waits so long, and
    holds SQLite's write lock meanwhile, for which every other process waits."""
    sys.setswitchinterval(SWITCH_SECONDS)
