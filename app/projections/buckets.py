"""Histograms of durations with fixed buckets, so that those of any days and plants can be added up.

Eight buckets to each factor of ten: an upper bound is a third more than the one below it. A percentile is told as the
upper bound of the bucket that holds it, so it is never told too short, and at most a third too long.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

PER_DECADE = 8
BOUNDS = tuple(10 ** (step / PER_DECADE) for step in range(-2 * PER_DECADE, 7 * PER_DECADE + 1))
"""Upper bounds in seconds, from 0.01 s to 10,000,000 s (115 days); bucket ``len(BOUNDS)`` holds what is longer."""


def bucket_of(seconds: float) -> int:
    """The bucket of a duration. What is negative, as where a sender's clock is ahead, is in the first one."""
    return bisect_left(BOUNDS, seconds)


def percentile(buckets: Mapping[int, int], percent: int) -> float | None:
    """The upper bound, in seconds, of the bucket that holds the smallest value which at least ``percent`` of a hundred
    do not exceed (nearest rank); of what is longer than all bounds, the last bound. None where there is nothing."""
    rank = max(1, -(-sum(buckets.values()) * percent // 100))
    for bucket in sorted(buckets):
        rank -= buckets[bucket]
        if rank <= 0:
            return BOUNDS[min(bucket, len(BOUNDS) - 1)]
    return None
