"""Measures as they are asked for and told: over the API, at a terminal and in the console."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.projections.buckets import percentile
from app.projections.measures import Group, Question, Sums, TooMuchAsked, read_measures
from app.projections.measuring import Counted, Lasted
from app.projections.processes import Process
from app.web import parameters
from app.web.problems import FieldError, Problem
from config.topology import Topology

PERCENTILES = (50, 90, 95, 99)
GROUPS = ("plant", "process", "day")
DAYS = 7
DAYS_MOST = 366
OF_SOURCES = ""
"""The plant of what concerns a source as a whole."""


def question_of_query(query: Mapping[str, str], topology: Topology, now: datetime) -> Question:
    """What a query asks for: the last seven days by plant and process unless it says otherwise. Raises Problem."""
    known = [*topology.plants, OF_SOURCES]
    plants = parameters.words(query, "plant", topology.plants)
    processes = parameters.words(query, "process", [process.value for process in Process])
    groups = parameters.words(query, "group", GROUPS) or ["plant", "process"]
    # Somewhere on earth it is tomorrow already.
    last_on = parameters.day(query, "to") or (now + timedelta(hours=14)).date()
    first_on = parameters.day(query, "from") or last_on - timedelta(days=DAYS)
    if first_on > last_on or (last_on - first_on).days >= DAYS_MOST:
        reason = f"must be a day up to `to`, at most {DAYS_MOST} days before it"
        raise Problem(422, "refused", f"Query parameter from {reason}.", [FieldError(reason, place="query from")])
    asked = (name in groups for name in GROUPS)
    return Question(plants or known, processes, first_on, last_on, *asked)


def told_measures(session: Session, asked: Question, level_seconds: float | None) -> dict[str, Any]:
    """The answer to a question. Raises Problem where it asks for too much."""
    try:
        found = read_measures(session, asked)
    except TooMuchAsked:
        told = "That is too much for one answer; ask for fewer days or plants, or by fewer groups."
        raise Problem(422, "refused", told) from None
    return {
        "from": asked.first_on.isoformat(),
        "to": asked.last_on.isoformat(),
        "service_level": {"accept_to_posted_seconds": level_seconds},
        "measures": [told_group(group, sums) for group, sums in found.items()],
    }


def told_group(group: Group, sums: Sums) -> dict[str, Any]:
    within, beyond = sums.count(Counted.WITHIN_LEVEL), sums.count(Counted.BEYOND_LEVEL)
    ended = sums.count(Counted.POSTED) + sums.count(Counted.DISCARDED)
    return {
        "plant": group.plant or None,
        "process": group.process,
        "day": group.measured_on.isoformat() if group.measured_on else None,
        "counts": {each.value: sums.count(each) for each in Counted},
        "service_level_attainment": _share(within, within + beyond),
        "handled_share": _share(sums.count(Counted.HANDLED), ended),
        **{each.value: _told_histogram(sums.histogram(each)) for each in Lasted},
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def _told_histogram(buckets: Mapping[int, int]) -> dict[str, Any]:
    """Percentiles in seconds, each the upper bound of its bucket."""
    told: dict[str, Any] = {"count": sum(buckets.values())}
    for percent in PERCENTILES:
        seconds = percentile(buckets, percent)
        told[f"p{percent}_seconds"] = None if seconds is None else float(f"{seconds:.4g}")
    return told


def days_between(first_on: date, last_on: date) -> Sequence[date]:
    return [first_on + timedelta(days=number) for number in range((last_on - first_on).days + 1)]


def duration_in_words(seconds: float | None) -> str:
    """Three digits in the unit that a person would choose: ``1.67 min`` and ``2.5 d``."""
    if seconds is None:
        return "-"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{_digits(seconds / size)} {unit}"
    return f"{_digits(seconds)} s"


def _digits(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
