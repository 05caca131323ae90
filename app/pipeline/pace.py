"""How quickly each target answers, as this process sees it."""

from __future__ import annotations

import math
from collections.abc import Collection

CALLS_IN_TURN = 8
# A target that answers within this time holds nobody up whose lane is held together with others.
QUICK_SECONDS = 0.25


class Pace:
    """How long each target's calls take of late, as this process sees it; who fails has no pace."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}

    def note(self, target: str, seconds: float) -> None:
        before = self._seconds.get(target, 0.0)
        self._seconds[target] = max(seconds, 0.0 if before == math.inf else before / 2)

    def in_turn(self, target: str, within_seconds: float) -> int:
        """How many calls, one after the other, surely begin within that time: an intent that comes to nothing is a row
        too. One where nothing is known."""
        seconds = self._seconds.get(target, within_seconds)
        return max(1, min(CALLS_IN_TURN, int(within_seconds / 2 / max(seconds, 0.001))))

    def is_quick(self, targets: Collection[str]) -> bool:
        """Whether all of these answer quickly, as far as this process has called them; no where it has called none."""
        known = [self._seconds[target] for target in targets if target in self._seconds]
        return max(known, default=math.inf if targets else 0.0) <= QUICK_SECONDS
