"""Percentiles come from histograms that add up, and are held against the durations themselves."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inbox.figures import percentile as exact
from app.projections.buckets import BOUNDS, PER_DECADE, bucket_of, percentile

WIDTH = 10 ** (1 / PER_DECADE)
DURATIONS = st.lists(st.floats(min_value=0.0, max_value=BOUNDS[-1]), min_size=1, max_size=200)


@given(st.lists(DURATIONS, min_size=1, max_size=4), st.sampled_from([1, 50, 90, 95, 99, 100]))
def test_a_percentile_of_added_histograms_is_that_of_all_durations_within_a_buckets_width(
    days: list[list[float]], percent: int
) -> None:
    together = Counter[int]()
    for day in days:
        together.update(Counter(bucket_of(seconds) for seconds in day))

    told = percentile(together, percent)
    true = exact(sorted(seconds for day in days for seconds in day), percent)

    assert told is not None
    assert true is not None
    assert true <= told
    assert told <= max(true, BOUNDS[0]) * WIDTH * (1 + 1e-9)


@given(st.floats(min_value=-1e9, max_value=1e12))
def test_every_duration_has_one_bucket_that_holds_it(seconds: float) -> None:
    bucket = bucket_of(seconds)

    assert bucket == 0 or BOUNDS[bucket - 1] < seconds
    assert bucket == len(BOUNDS) or seconds <= BOUNDS[bucket]


@pytest.mark.parametrize(("buckets", "told"), [({}, None), ({len(BOUNDS): 3}, BOUNDS[-1]), ({0: 1}, BOUNDS[0])])
def test_the_ends_are_told_as_what_they_are(buckets: dict[int, int], told: float | None) -> None:
    assert percentile(buckets, 95) == told
