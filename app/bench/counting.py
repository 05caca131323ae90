"""What became of a run, counted from the targets' own books against what was sent; Lineside's own word counts for its
dead letters alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.bench.feed import Sending
from app.bench.plain_books import Entry
from app.bench.reports import RELEASED, Report
from app.bench.told import Name, Told


@dataclass(frozen=True)
class Sent:
    """Everything that was sent, with what its senders know. ``accepted`` are the messages that are Lineside's: told so
    over HTTP, or rows of a file in the archive. ``dead`` gives the reasons of those that Lineside gave up."""

    reports: Mapping[Name, Report]
    files: Mapping[Name, str]
    told: Told
    accepted: frozenset[Name]
    dead: Mapping[Name, str]

    def due(self) -> list[Report]:
        """Those whose effect must stand in the books."""
        return [report for name, report in self.reports.items() if name in self.accepted and name not in self.dead]


@dataclass(frozen=True)
class Count:
    """Each fault of the product by name, so that it can be looked at. ``posted`` counts documents."""

    posted: int
    doubled: tuple[str, ...]
    lost: tuple[str, ...]
    misordered: tuple[str, ...]
    unexpected: tuple[str, ...]
    stock: tuple[str, ...]


def files_of(feed: Iterable[Sending]) -> dict[Name, str]:
    """The first file of each row."""
    found: dict[Name, str] = {}
    for sending in feed:
        for report in sending.reports if sending.file_name else ():
            found.setdefault(report.name, sending.file_name)
    return found


def count(sent: Sent, entries: Sequence[Entry], stock: Mapping[tuple[str, str], Decimal]) -> Count:
    """Compare the books with what was sent."""
    held = Counter((entry.system, entry.posting_key) for entry in entries)
    wanted = {(system, key): report for report in sent.due() for system, key in report.effects().items()}
    known = {(system, key) for report in sent.reports.values() for system, key in report.effects().items()}
    return Count(
        posted=sum(place in held for place in wanted),
        doubled=tuple(f"{system} {key} x{times}" for (system, key), times in held.items() if times > 1),
        lost=tuple(f"{_told(report)} in {system}" for (system, key), report in wanted.items() if not held[system, key]),
        misordered=tuple(_misordered(sent, entries)),
        unexpected=tuple(f"{system} {key}" for system, key in held if (system, key) not in known),
        stock=tuple(_differences(sent.due(), stock)),
    )


def doubles(entries: Iterable[Entry]) -> int:
    """Documents beyond the first of each key."""
    held = Counter((entry.system, entry.posting_key) for entry in entries)
    return sum(held.values()) - len(held)


def _told(report: Report) -> str:
    return f"{report.source}/{report.id} {report.type}" + (f" of {report.key}" if report.key else "")


def _misordered(sent: Sent, entries: Sequence[Entry]) -> Iterable[str]:
    """Messages that took effect before one of their key that was promised to come first."""
    numbers: dict[tuple[str, str], int] = {}
    for entry in entries:
        numbers.setdefault((entry.system, entry.posting_key), entry.number)
    by_key: dict[str, list[Report]] = defaultdict(list)
    for report in sent.due():
        if report.key:
            by_key[report.key].append(report)
    for reports in by_key.values():
        reports.sort(key=lambda report: report.rank)
        for place, second in enumerate(reports):
            began = min(_numbers_of(second, numbers), default=0)
            for first in reports[:place]:
                if 0 < began < max(_numbers_of(first, numbers), default=0) and _promised(sent, first, second):
                    yield f"{_told(second)} took effect before {_told(first)}"
                    break


def _numbers_of(report: Report, numbers: Mapping[tuple[str, str], int]) -> list[int]:
    return [number for effect in report.effects().items() if (number := numbers.get(effect)) is not None]


def _promised(sent: Sent, first: Report, second: Report) -> bool:
    """Whether the first has to take effect before the second: it was Lineside's before the second was sent, or stands
    above it in the same file, or is the release that the second waits for."""
    file = sent.files.get(first.name)
    if file is not None or sent.files.get(second.name) is not None:
        return file == sent.files.get(second.name)
    return first.type == RELEASED or sent.told.came_before(first, second)


def _differences(due: Iterable[Report], stock: Mapping[tuple[str, str], Decimal]) -> Iterable[str]:
    expected: Counter[tuple[str, str]] = Counter()
    for report in due:
        for where, amount in report.deltas.items():
            expected[where] += amount
    for place, item in sorted(expected.keys() | stock.keys()):
        should, held = expected[place, item], stock.get((place, item), Decimal(0))
        if should != held:
            yield f"{item} at {place}: {held} instead of {should}"
