"""What the intake of files works with, built once a process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.clock import utc_now
from app.store.session import Store
from config.exception_policy import NO_POLICY, ExceptionPolicy


@dataclass(frozen=True)
class Intake:
    """``nudge(plant, count)`` asks for work to be done soon; it never blocks and never raises.
    ``lease_seconds``: how long a folder stays a watcher's that says nothing more. ``zones``: of plants, by code.
    ``policy``: who owns what is raised."""

    store: Store
    nudge: Callable[[str, int], None]
    clock: Callable[[], datetime] = utc_now
    lease_seconds: float = 60.0
    zones: Mapping[str, str] = field(default_factory=dict)
    policy: ExceptionPolicy = NO_POLICY

    def zone_of(self, plant: str) -> str:
        return self.zones.get(plant, "UTC")
