"""A bucket of tokens: so many postings at once, so many a second in the long run. Plain values."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from config.topology import Rate


@dataclass(frozen=True)
class Bucket:
    tokens: float
    at: datetime

    @property
    def whole(self) -> int:
        """How many postings may begin now."""
        return math.floor(self.tokens)


def filled(bucket: Bucket | None, rate: Rate, now: datetime) -> Bucket:
    """The bucket by now; a new one is full. A clock that was set back fills nothing and takes nothing away."""
    if bucket is None:
        return Bucket(rate.capacity, now)
    passed = max(0.0, (now - bucket.at).total_seconds())
    return Bucket(min(rate.capacity, bucket.tokens + passed * rate.per_second), now)


def next_token_at(bucket: Bucket, rate: Rate) -> datetime:
    """When one more posting may begin."""
    return bucket.at + timedelta(seconds=max(0.0, 1.0 - bucket.tokens) / rate.per_second)
