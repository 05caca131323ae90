"""When the books are kept: every few seconds, by whichever relay works."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime

from app.completeness.keeping import is_watched, keep_books
from app.store.session import Store
from config.topology import Topology

EVERY_SECONDS = 2.0
# Where no relay worked for so long, nobody listened: what was silent meanwhile may have spoken to nobody.
AWAY_SECONDS = 60.0


@dataclass
class BookKeeping:
    """One relay's memory of when it kept them last."""

    next_at: float = 0.0

    def tick(self, store: Store, topology: Topology, now: datetime, last_tick: datetime) -> None:
        """``last_tick``: when a relay ticked last, by the clock as it went then. Nothing is asked of the database where
        the topology watches no source."""
        if time.monotonic() < self.next_at or not is_watched(topology):
            return
        was_away = (now - last_tick).total_seconds() > AWAY_SECONDS
        more = keep_books(store, topology, now, was_away=was_away)
        self.next_at = 0.0 if more else time.monotonic() + EVERY_SECONDS
