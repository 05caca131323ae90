"""What the intake of files works with, built once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.store.session import Store


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Intake:
    """``nudge(plant, count)`` asks for work to be done soon; it never blocks and never raises."""

    store: Store
    nudge: Callable[[str, int], None]
    clock: Callable[[], datetime] = utc_now
