"""Read measures of a span of days, added up as they are asked for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.projections.buckets import BOUNDS
from app.projections.measuring import Counted, Lasted
from app.store.measure_tables import Measure, MeasureTotal

ROWS_MOST = 200_000
"""Sums of buckets that one question may read; what asks for more is to be narrowed."""


class TooMuchAsked(Exception):
    """The question would read more than ROWS_MOST sums."""


@dataclass(frozen=True)
class Group:
    """By what measures are added up; what is None there is the sum over all of it."""

    plant: str | None
    process: str | None
    measured_on: date | None


@dataclass
class Sums:
    """What a group comes to: how many, and each duration's histogram by bucket."""

    counts: dict[str, int] = field(default_factory=dict)
    histograms: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    def count(self, what: Counted) -> int:
        return self.counts.get(what.value, 0)

    def histogram(self, what: Lasted) -> Mapping[int, int]:
        return self.histograms.get(what.value, {})


@dataclass(frozen=True)
class Question:
    """Which plants' measures, of which processes (none named: all), from one day to another, both included."""

    plants: Sequence[str]
    processes: Sequence[str]
    first_on: date
    last_on: date
    by_plant: bool = True
    by_process: bool = True
    by_day: bool = False


def read_measures(session: Session, asked: Question) -> dict[Group, Sums]:
    """By group, in the order of plant, process and day. Raises TooMuchAsked."""
    chosen = _columns(asked)
    rows = session.execute(query_of(asked)).all()
    if len(rows) > ROWS_MOST:
        raise TooMuchAsked
    found: dict[Group, Sums] = defaultdict(Sums)
    for *key, measure, bucket, number in rows:
        values = iter(key)
        plant, process, day = (None if column is None else next(values) for column in chosen)
        _put(found[Group(plant, process, day)], measure, bucket, int(number))
    order = sorted(found, key=lambda group: (group.plant or "", group.process or "", group.measured_on or date.min))
    return {group: found[group] for group in order}


def _columns(asked: Question) -> list[Any]:
    """Plant, process and day; None for what is no group."""
    by_each = (asked.by_plant, asked.by_process, asked.by_day)
    columns = (Measure.plant, Measure.process, Measure.measured_on)
    return [column if is_asked else None for column, is_asked in zip(columns, by_each, strict=True)]


def query_of(asked: Question) -> Any:
    """The sums of every bucket of every group, found by plant and day."""
    groups = [*(column for column in _columns(asked) if column is not None), Measure.measure, Measure.bucket]
    query = select(*groups, func.sum(Measure.number)).where(
        Measure.plant.in_(list(asked.plants)), Measure.measured_on.between(asked.first_on, asked.last_on)
    )
    if asked.processes:
        query = query.where(Measure.process.in_(list(asked.processes)))
    return query.group_by(*groups).limit(ROWS_MOST + 1)


def read_totals(session: Session) -> dict[tuple[str, str], Sums]:
    """What was ever measured, by plant and process."""
    found: dict[tuple[str, str], Sums] = defaultdict(Sums)
    for row in session.scalars(select(MeasureTotal).limit(ROWS_MOST)):
        _put(found[row.plant, row.process], row.measure, row.bucket, row.number)
    return dict(found)


_DURATIONS = {each.value for each in Lasted}


def _put(sums: Sums, measure: str, bucket: int, number: int) -> None:
    if measure in _DURATIONS:
        sums.histograms[measure][bucket] = number
    else:
        sums.counts[measure] = number


STEP = 4
"""Prometheus is told every fourth bound: two to each factor of ten."""


def durations_of(totals: Mapping[tuple[str, str], Sums]) -> dict[tuple[str, str, str], list[tuple[str, int]]]:
    """By plant, process and measure: upper bounds in seconds, each with how many were as long or shorter."""
    return {
        (plant, process, measure): _cumulative(buckets)
        for (plant, process), sums in totals.items()
        for measure, buckets in sums.histograms.items()
    }


def outcomes_of(totals: Mapping[tuple[str, str], Sums]) -> dict[tuple[str, str, str], int]:
    return {(*key, measure): number for key, sums in totals.items() for measure, number in sums.counts.items()}


def _cumulative(buckets: Mapping[int, int]) -> list[tuple[str, int]]:
    told = [(str(float(f"{BOUNDS[last]:.4g}")), sum(n for b, n in buckets.items() if b <= last)) for last in _LAST]
    return [*told, ("+Inf", sum(buckets.values()))]


_LAST = range(0, len(BOUNDS), STEP)
