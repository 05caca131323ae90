"""When a system's balances are compared by themselves, and which dropped files are balances."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Literal

LevelName = Literal["item", "storage", "lot"]
KEEP = 100


@dataclass(frozen=True)
class Reconciling:
    """Of a target: compared every so many minutes, or ``at`` these times of the clock of ``plant``; with what was
    reported, or ``against`` another target. ``keep``: how many reports are kept."""

    every_minutes: float | None = None
    at: tuple[time, ...] = ()
    plant: str | None = None
    level: LevelName = "item"
    against: str | None = None
    keep: int = KEEP


@dataclass(frozen=True)
class BalancesFile:
    """A dropped file that holds the balances of the system ``of``, or of the source itself. ``taken_at``: a regular
    expression over its name with a group ``at``, which ``format`` reads by the plant's clock; without it the file's own
    time counts."""

    of: str | None = None
    level: LevelName = "item"
    decimal: Literal[".", ","] = "."
    taken_at: str | None = None
    format: str = "%Y%m%d%H%M%S"
