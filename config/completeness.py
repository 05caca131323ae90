"""What a source owes, so that it can be told whether all of it came: numbers without a gap, files that add up, a sign
of life during the plant's shifts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Literal

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Shift:
    """A time of work by the plant's clock, on the days on which it begins; one whose end is not after its begin ends
    on the next day."""

    begins: time
    ends: time
    days: tuple[str, ...] = DAYS


@dataclass(frozen=True)
class Counting:
    """How a source counts: from ``start``, and after ``wrap_at`` from ``start`` again. More than ``largest_gap``
    numbers at once are never missing: there the source began to count anew."""

    start: int = 1
    wrap_at: int | None = None
    largest_gap: int = 1_000


@dataclass(frozen=True)
class SequenceWatch:
    """Each message has the next number: its CloudEvents ``sequence``, or what stands at the dotted path ``field`` of
    its payload (JSON keys, XML elements, a column of a dropped row). ``per``: whether each plant is counted for itself,
    or the whole source."""

    counting: Counting = Counting()
    field: str | None = None
    per: Literal["plant", "source"] = "plant"


@dataclass(frozen=True)
class FileNumber:
    """Each file of a kind has the next number: in its ``name`` (a regular expression with a group ``number``), or in
    its first or last line, at a column's number (csv) or ``(first column, width)``."""

    counting: Counting = Counting()
    name: str | None = None
    header: tuple[int, int] | None = None
    trailer: int | tuple[int, int] | None = None


@dataclass(frozen=True)
class Heartbeat:
    """At least one message every so many minutes of each plant's shifts."""

    every_minutes: float


@dataclass(frozen=True)
class Completeness:
    """``grace_seconds``: what comes out of order or late by no more than that raises nothing."""

    grace_seconds: float = 300.0
    sequence: SequenceWatch | None = None
    heartbeat: Heartbeat | None = None
