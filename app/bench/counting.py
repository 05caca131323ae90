"""What became of a run, counted from the targets' own books against what was sent; Lineside's own word counts for its
dead letters alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.bench.feed import Sending
from app.bench.plain_books import Entry
from app.bench.practice_systems import TRYTON
from app.bench.reports import RELEASED, Report
from app.bench.told import Name, Told

Stock = Mapping[tuple[str, str], Decimal]


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

    def given_up(self) -> list[Report]:
        """Those whose effect must not stand in the books, or no more."""
        return [report for name, report in self.reports.items() if name in self.dead]


@dataclass(frozen=True)
class Books:
    """What all targets hold: documents that took effect, reversals among them, and the stock of each ERP by its name.
    ``drafts`` have no effect; ``half_way`` names documents that are neither drafts nor done. ``picture``: what Lineside
    itself says that each plant has of each item, where it was asked."""

    entries: Sequence[Entry]
    stock: Mapping[str, Stock]
    half_way: tuple[str, ...] = ()
    drafts: int = 0
    picture: Stock | None = None


@dataclass(frozen=True)
class Count:
    """Each fault of the product by name, so that it can be looked at. ``posted`` counts documents, ``reversed`` those
    of dead messages whose reversal stands beside them; ``unreversed`` names those that have none."""

    posted: int = 0
    reversed: int = 0
    doubled: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    misordered: tuple[str, ...] = ()
    unreversed: tuple[str, ...] = ()
    unexpected: tuple[str, ...] = ()
    stock: tuple[str, ...] = ()
    picture: tuple[str, ...] = ()


class Held:
    """The targets' documents by posting key: how often each, and since when."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.times: Counter[tuple[str, str]] = Counter()
        self._numbers: dict[tuple[str, str], int] = {}
        for entry in entries:
            self.times[entry.system, entry.posting_key] += 1
            self._numbers.setdefault((entry.system, entry.posting_key), entry.number)

    def standing(self, report: Report, target: str) -> int:
        """How many documents of this message count there: those that no reversal of their own has undone."""
        known = self.times
        return sum(bool(known[target, key]) - bool(known[target, back]) for key, back in report.keys(target))

    def undone(self, report: Report, target: str) -> int:
        return sum(bool(self.times[target, back]) for _, back in report.keys(target))

    def numbers(self, report: Report) -> dict[str, list[int]]:
        """By book, when the message's documents took effect: of each target the last of its keys, since what stood
        there before was reversed."""
        found: dict[str, list[int]] = defaultdict(list)
        for target in report.targets():
            held = [number for key, _ in report.keys(target) if (number := self._numbers.get((target, key)))]
            if held:
                found[TRYTON if target == TRYTON else "practice"].append(held[-1])
        return found


def files_of(feed: Iterable[Sending]) -> dict[Name, str]:
    """The first file of each row."""
    found: dict[Name, str] = {}
    for sending in feed:
        for report in sending.reports if sending.file_name else ():
            found.setdefault(report.name, sending.file_name)
    return found


def count(sent: Sent, books: Books) -> Count:
    """Compare the books with what was sent."""
    held = Held(books.entries)
    due, dead = _standing(sent.due(), held), _standing(sent.given_up(), held)
    several = (f"{_told(report)} in {target} under several keys" for report, target, number in due if number > 1)
    return Count(
        posted=sum(number > 0 for _, _, number in due),
        reversed=sum(held.undone(report, target) for report, target, _ in dead),
        doubled=(*(f"{target} {key} x{times}" for (target, key), times in held.times.items() if times > 1), *several),
        lost=tuple(f"{_told(report)} in {target}" for report, target, number in due if number < 1),
        misordered=tuple(_misordered(sent, held)),
        unreversed=tuple(f"{_told(report)} in {target}" for report, target, number in dead if number > 0),
        unexpected=(*_unexpected(sent, held), *books.half_way),
        stock=tuple(_differences(sent.due(), books.stock)),
        picture=() if books.picture is None else tuple(_misseen(sent.due(), books.picture)),
    )


def _standing(reports: Iterable[Report], held: Held) -> list[tuple[Report, str, int]]:
    return [(report, target, held.standing(report, target)) for report in reports for target in report.targets()]


def _unexpected(sent: Sent, held: Held) -> Iterable[str]:
    """Documents that nobody sent, and reversals without what they reverse."""
    known: set[tuple[str, str]] = set()
    for report in sent.reports.values():
        for target in report.targets():
            for key, back in report.keys(target):
                known |= {(target, key), (target, back)} if held.times[target, key] else {(target, key)}
    return [f"{target} {key}" for target, key in held.times if (target, key) not in known]


def doubles(entries: Iterable[Entry]) -> int:
    """Documents beyond the first of each key."""
    held = Counter((entry.system, entry.posting_key) for entry in entries)
    return sum(held.values()) - len(held)


def _told(report: Report) -> str:
    return f"{report.source}/{report.id} {report.type}" + (f" of {report.key}" if report.key else "")


def _misordered(sent: Sent, held: Held) -> Iterable[str]:
    """Messages that took effect before one of their key that was promised to come first."""
    by_key: dict[str, list[Report]] = defaultdict(list)
    for report in sent.due():
        if report.key:
            by_key[report.key].append(report)
    for reports in by_key.values():
        reports.sort(key=lambda report: report.rank)
        numbers = [held.numbers(report) for report in reports]
        for place, second in enumerate(reports):
            for first, before in zip(reports[:place], numbers, strict=False):
                if _is_overtaken(before, numbers[place]) and _promised(sent, first, second):
                    yield f"{_told(second)} took effect before {_told(first)}"
                    break


def _is_overtaken(first: Mapping[str, list[int]], second: Mapping[str, list[int]]) -> bool:
    """Whether in one of the books the second began before the first had ended. Two books have no clock in common."""
    return any(min(second[book]) < max(first[book]) for book in first.keys() & second.keys())


def _promised(sent: Sent, first: Report, second: Report) -> bool:
    """Whether the first has to take effect before the second: it was Lineside's before the second was sent, or stands
    above it in the same file, or is the release that the second waits for."""
    file = sent.files.get(first.name)
    if file is not None or sent.files.get(second.name) is not None:
        return file == sent.files.get(second.name)
    return first.type == RELEASED or sent.told.came_before(first, second)


def _differences(due: Iterable[Report], stock: Mapping[str, Stock]) -> Iterable[str]:
    expected: Counter[tuple[str, str, str]] = Counter()
    for report in due:
        for (place, item), amount in report.deltas.items():
            expected[report.erp, place, item] += amount
    found = {(erp, *where): quantity for erp, places in stock.items() for where, quantity in places.items()}
    for where in sorted(expected.keys() | found.keys()):
        should, holds = expected[where], found.get(where, Decimal(0))
        if should != holds:
            erp, place, item = where
            yield f"{item} at {place} in {erp}: {holds} instead of {should}"


def _misseen(due: Iterable[Report], picture: Stock) -> Iterable[str]:
    """Items of plants of which Lineside says something else than its messages brought about."""
    expected: Counter[tuple[str, str]] = Counter()
    for report in due:
        for (_, item), amount in report.deltas.items():
            expected[report.plant, item] += amount
    for where in sorted(expected.keys() | picture.keys()):
        if expected[where] != picture.get(where, Decimal(0)):
            yield f"{where[1]} in {where[0]}: {picture.get(where, Decimal(0))} instead of {expected[where]}"
