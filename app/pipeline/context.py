"""What every step works with, built once a process."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.adapters.base import Adapter
from app.clock import never_leapt, utc_now
from app.crosswalks.reading import CrosswalkBook
from app.pipeline.pace import Pace
from app.pipeline.share import Shares
from app.store.session import Store
from config.topology import RetryPolicy, Topology


@dataclass(frozen=True)
class Pipeline:
    """The database, the topology, the targets, the clock, the lease length and the threads of one process.

    ``leapt_within``: whether the clock was put forward in the last so many seconds, as far as this process noticed.
    """

    store: Store
    topology: Topology
    adapter_for: Callable[[str], Adapter]
    worker: str
    lease_seconds: float = 60.0
    clock: Callable[[], datetime] = utc_now
    leapt_within: Callable[[float], bool] = never_leapt
    crosswalks: CrosswalkBook = field(default_factory=CrosswalkBook)
    shares: Shares = field(default_factory=lambda: Shares(1_000, ()))
    pace: Pace = field(default_factory=Pace)
    jitter: Callable[[float, float], float] = field(default=random.uniform)

    def retry_delay(self, policy: RetryPolicy, attempts: int) -> timedelta:
        """Exponential with full jitter, so that messages which failed together do not come back together."""
        ceiling = min(policy.cap_seconds, policy.base_seconds * 2.0 ** min(attempts, 30))
        return timedelta(seconds=self.jitter(0.0, ceiling))
