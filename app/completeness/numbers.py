"""The series of numbers that sources owe, and what is raised where a number is missing, comes twice or begins anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause, Severity, close_exceptions, raise_exceptions
from app.completeness.book import Book, Happening
from app.completeness.spans import holes_within
from app.store.exception_tables import BusinessException
from app.store.source_notes import SEQUENCE, SeriesKey, file_series
from config.completeness import Counting
from config.exception_policy import ExceptionPolicy
from config.topology import Topology

MISSING = "numbers_missing"
RESTARTED, REPEATED, UNREADABLE = "numbers_restarted", "numbers_repeated", "numbers_unreadable"
# Something that happened, and not a state that lasts: it closes by itself so long after it was seen last.
OCCURRENCES = (RESTARTED, REPEATED, UNREADABLE)
TOLD_FOR = timedelta(days=1)
# So many gaps of a series are exceptions of their own; all others are one together.
GAPS_MOST = 50
RANGES_TOLD = 10

Range = tuple[int, int]


@dataclass(frozen=True)
class Series:
    """``named``: what a person calls it."""

    key: SeriesKey
    named: str
    counting: Counting
    grace: timedelta
    policy: ExceptionPolicy

    def cause(self, rule: str, *ids: object) -> str:
        return ":".join(map(str, (rule, *self.key, *ids)))


def counted(topology: Topology) -> Iterator[Series]:
    for source in topology.sources.values():
        grace = timedelta(seconds=source.completeness.grace_seconds)
        if (sequence := source.completeness.sequence) is not None:
            for plant in source.plants if sequence.per == "plant" else ("",):
                named = f"messages of {source.code}" + (f" for {plant}" if plant else "")
                yield Series((source.code, plant, SEQUENCE), named, sequence.counting, grace, topology.exceptions)
        for kind in source.files:
            if kind.file_number is not None:
                named = f"files {kind.pattern} of {source.code}"
                key = (source.code, source.plants[0], file_series(kind.pattern))
                yield Series(key, named, kind.file_number.counting, grace, topology.exceptions)


def judge_gaps(session: Session, series: Series, book: Book, told: Sequence[BusinessException], now: datetime) -> None:
    """Each range that is missing for longer than the grace time has an exception. Once raised it stays the same one
    while its numbers come, and closes with the last of them."""
    of_this_run = [each for each in told if each.detail["run"] == book.run]
    known = [each for each in of_this_run if not each.detail.get("many")]
    many = [each for each in of_this_run if each.detail.get("many")]
    changed: list[Cause] = []
    filled: list[int] = []
    for each in known:
        first, last = each.detail["first"], each.detail["last"]
        if book.floor is not None and last <= book.floor:
            continue
        left = holes_within(book.spans, first, last)
        if not left:
            filled.append(each.id)
        elif [list(hole) for hole in left] != each.detail["left"]:
            changed.append(_gap(series, book, (first, last), left))
    ranges = [(each.detail["first"], each.detail["last"]) for each in known]
    new = [hole for hole in book.holes(now, series.grace) if not _is_told(hole, ranges)]
    room = max(0, GAPS_MOST - len(known) + len(filled))
    changed += [_gap(series, book, hole, [hole]) for hole in new[:room]]
    rest = new[room:]
    if rest and not (many and many[0].detail["left"] == [list(hole) for hole in rest]):
        changed.append(_many(series, book, rest))
    close_exceptions(session, filled, "All that was missing has come.", now)
    if many and not rest:
        close_exceptions(session, [each.id for each in many], "What is still missing is told one by one.", now)
    raise_exceptions(session, changed, now, series.policy)


def _is_told(hole: Range, ranges: Sequence[Range]) -> bool:
    return any(first <= hole[0] and hole[1] <= last for first, last in ranges)


def _gap(series: Series, book: Book, whole: Range, left: Sequence[Range]) -> Cause:
    count = sum(last - first + 1 for first, last in left)
    are = "number is" if count == 1 else "numbers are"
    message = (
        f"{count} {are} missing in the {series.named}: {told_ranges(book, left)}, "
        f"though {book.shown(whole[1] + 1)} came. Ask the source to send what is missing once more."
    )
    return _cause(series, MISSING, "serious", message, book, left, whole, (book.run, whole[0]))


def _many(series: Series, book: Book, rest: Sequence[Range]) -> Cause:
    count = sum(last - first + 1 for first, last in rest)
    message = (
        f"Beside the gaps that are told one by one, {count} numbers are missing in the {series.named}: "
        f"{told_ranges(book, rest)}. Does the source share its count with another receiver?"
    )
    whole = (rest[0][0], rest[-1][1])
    return _cause(series, MISSING, "serious", message, book, rest, whole, (book.run, "many"), many=True)


def told_ranges(book: Book, ranges: Sequence[Range]) -> str:
    parts = [
        str(book.shown(first)) if first == last else f"{book.shown(first)} to {book.shown(last)}"
        for first, last in ranges[:RANGES_TOLD]
    ]
    more = len(ranges) - len(parts)
    return ", ".join(parts) + (f" and {more} more ranges" if more else "")


def _cause(
    series: Series,
    rule: str,
    severity: Severity,
    message: str,
    book: Book,
    left: Sequence[Range],
    whole: Range,
    ids: tuple[object, ...],
    **more: Any,
) -> Cause:
    source, plant, name = series.key
    placed = {"series": name, "run": book.run, "first": whole[0], "last": whole[1], "left": [list(r) for r in left]}
    return Cause(
        rule=rule,
        key=series.cause(rule, *ids),
        subject=series.named,
        severity=severity,
        message=message,
        source=source,
        plant=plant or None,
        missing_from=str(book.shown(left[0][0])),
        missing_to=str(book.shown(left[-1][1])),
        detail={**placed, **more},
    )


def tell_happenings(
    session: Session, series: Series, happened: Sequence[Happening], unreadable: int, now: datetime
) -> None:
    """What happened once and is not missing: it is seen by a person, and closes by itself after a day."""
    causes = [_occurrence(series, *_worded(series, happening)) for happening in happened]
    if unreadable:
        message = f"In the {series.named} some came whose number is missing or cannot be read, at {_at(now)} last."
        mend = " Look at the source, and at what the topology says of where the number stands."
        causes.append(_occurrence(series, UNREADABLE, message + mend))
    for cause in causes:
        raise_exceptions(session, [cause], now, series.policy)


def _worded(series: Series, happening: Happening) -> tuple[str, str]:
    which = str(happening.first) if happening.first == happening.last else f"{happening.first} to {happening.last}"
    if happening.kind == "restarted":
        return RESTARTED, (
            f"The count of the {series.named} began anew at {happening.first}, after {happening.before}. Whether the "
            f"source sent more after {happening.before}, nobody can tell from here: was its counter reset?"
        )
    if happening.kind == "repeated":
        return REPEATED, (
            f"In the {series.named} {happening.count} came under numbers that others had before ({which}). "
            "Does the source give numbers twice, or send under new ids what it sent before?"
        )
    return REPEATED, (
        f"In the {series.named} {happening.count} came far from all others ({which}), and the count went on from "
        f"{happening.before} without them."
    )


def _occurrence(series: Series, rule: str, message: str) -> Cause:
    source, plant, name = series.key
    return Cause(
        rule, series.cause(rule), series.named, "warning", message, source, plant or None, detail={"series": name}
    )


def close_occurrences(session: Session, told: Mapping[str, BusinessException], now: datetime) -> None:
    over = [each.id for each in told.values() if each.rule in OCCURRENCES and now - each.last_seen_at >= TOLD_FOR]
    close_exceptions(session, over, "It was not seen again for a day.", now)


def _at(now: datetime) -> str:
    return now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
