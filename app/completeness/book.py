"""The book of one series: which numbers came, which are missing, and where the source began to count anew.

Numbers are kept unrolled: after the highest comes the next, also where the source begins a new round. A new message
with a number that came before is either a number given twice, or the source counts anew from the start; a number far
from all others likewise. Which of them it is shows by what follows, so nothing is said of it until the grace time is
over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from app.completeness.spans import Span, add_range, count_within
from config.completeness import Counting

# Beyond so many ranges the lowest holes are no longer looked for.
SPANS_MOST = 500
# So many numbers a second time, from near the start on, mean a new count although its first number is not among them;
# and a new count that has come so far is believed.
ANEW_LEAST = 10


@dataclass(frozen=True)
class Happening:
    """``restarted``: counts anew from ``first``, after ``before``. ``repeated``: numbers between ``first`` and ``last``
    were given to ``count`` further messages. ``stray``: those fit nowhere, and the count went on without them."""

    kind: Literal["restarted", "repeated", "stray"]
    first: int
    last: int
    count: int
    before: int


@dataclass
class Aside:
    """Numbers that came since one of them did not fit, until it is clear what they mean."""

    spans: list[Span] = field(default_factory=list)
    first_at: datetime | None = None
    last_at: datetime | None = None
    high_before: int = 0
    count: int = 0
    lowest: int = 0
    highest: int = 0

    def note(self, first: int, last: int, at: datetime) -> None:
        self.first_at = min(self.first_at or at, at)
        self.last_at = max(self.last_at or at, at)
        add_range(self.spans, first, last, at)

    def misfit(self, first: int, last: int, count: int) -> None:
        self.lowest = min(self.lowest, first) if self.count else first
        self.highest = max(self.highest, last) if self.count else last
        self.count += count

    def is_due(self, now: datetime, grace: timedelta) -> bool:
        return self.first_at is not None and now - self.first_at >= grace


@dataclass
class Book:
    """``floor``: up to there nothing is looked for any more. ``run`` tells one count of the source from the next;
    ``previous`` is the one before, as long as it may turn out that it goes on."""

    counting: Counting
    spans: list[Span] = field(default_factory=list)
    again: Aside = field(default_factory=Aside)
    far: Aside = field(default_factory=Aside)
    run: int = 0
    runs: int = 0
    previous: list[Span] = field(default_factory=list)
    previous_run: int = 0
    floor: int | None = None
    near_at: datetime | None = None

    @property
    def high(self) -> int:
        return self.spans[-1].last

    def note(self, first: int, last: int, at: datetime) -> None:
        """The numbers ``first`` to ``last``, as the source gave them, came, each for a new message."""
        if not self.spans:
            add_range(self.spans, first, last, at)
            self.near_at = at
            return
        first, last = self._unrolled(first), self._unrolled(first) + last - first
        if self.floor is not None and last <= self.floor:
            return
        self._resume_previous(first)
        reach = self.counting.largest_gap + 1
        if first > self.high + reach or last < self.spans[0].first - reach:
            self.far.note(first, last, at)
            self.far.misfit(first, last, last - first + 1)
            return
        known = count_within(self.spans, first, last)
        if known or self.again.spans:
            if not self.again.spans:
                self.again.high_before = self.high
            self.again.note(first, last, at)
        if known:
            self.again.misfit(first, last, known)
        add_range(self.spans, first, last, at)
        self.near_at = max(self.near_at or at, at)
        self._keep_bound()

    def fill(self, first: int, last: int, at: datetime) -> None:
        """These came, maybe once more, and rightly so: they are not missing, and no repeat."""
        if not self.spans:
            return self.note(first, last, at)
        first, last = self._unrolled(first), self._unrolled(first) + last - first
        reach = self.counting.largest_gap + 1
        if self.spans[0].first - reach <= first and last <= self.high + reach:
            add_range(self.spans, first, last, at)
        return None

    def waive(self, run: int | None, first: int, last: int, at: datetime) -> None:
        """Count these unrolled numbers as if they had come, if the source has not begun anew since."""
        if run == self.run and self.spans:
            add_range(self.spans, first, last, at)

    def settle(self, now: datetime, grace: timedelta) -> list[Happening]:
        """Say of what did not fit what it was, once the grace time is over."""
        happened: list[Happening] = []
        if self.again.is_due(now, grace):
            happened.append(self._settle_again())
        if self.far.is_due(now, grace):
            happened.append(self._settle_far())
        return happened

    def holes(self, now: datetime, grace: timedelta) -> list[tuple[int, int]]:
        """What is missing for at least the grace time, as unrolled ranges from the lowest on."""
        found: list[tuple[int, int]] = []
        noticed_at: datetime | None = None
        for below, above in zip(self.spans[-2::-1], self.spans[:0:-1], strict=True):
            noticed_at = min(noticed_at or above.began_at, above.began_at)
            if now - noticed_at >= grace:
                found.append((below.last + 1, above.first - 1))
        return found[::-1]

    def end_at(self, now: datetime) -> None:
        """Nothing came later than now: what says so was noted by a clock that has been set back."""
        for spans in (self.spans, self.previous, self.again.spans, self.far.spans):
            for span in spans:
                span.began_at = min(span.began_at, now)
        for aside in (self.again, self.far):
            if aside.first_at is not None and aside.last_at is not None:
                aside.first_at, aside.last_at = min(aside.first_at, now), min(aside.last_at, now)
        self.near_at = None if self.near_at is None else min(self.near_at, now)

    def shown(self, number: int) -> int:
        """An unrolled number as the source gave it."""
        return number if self._round is None else self.counting.start + (number - self.counting.start) % self._round

    @property
    def _round(self) -> int | None:
        wrap_at = self.counting.wrap_at
        return None if wrap_at is None else wrap_at - self.counting.start + 1

    def _unrolled(self, number: int) -> int:
        """The nearest to the highest number of those that the source may mean."""
        if self._round is None:
            return number
        return number + self._round * round((self.high - number) / self._round)

    def _settle_again(self) -> Happening:
        again, self.again = self.again, Aside()
        went_on = again.spans[-1].last > again.high_before and len(again.spans) > 1
        at_start = self._holds_start(again.spans)
        near_start = self.shown(again.spans[0].first) - self.counting.start <= self.counting.largest_gap
        if not went_on and (at_start or (near_start and again.count >= ANEW_LEAST)):
            return self._begin_anew(again, again.high_before)
        lowest, highest = self.shown(again.lowest), self.shown(again.highest)
        return Happening("repeated", lowest, highest, again.count, self.shown(again.high_before))

    def _settle_far(self) -> Happening:
        """Where the count went on after them, they were strays."""
        far, self.far = self.far, Aside()
        assert far.last_at is not None
        if self.near_at is not None and self.near_at > far.last_at:
            return Happening("stray", self.shown(far.lowest), self.shown(far.highest), far.count, self.shown(self.high))
        return self._begin_anew(far, self.high)

    def _begin_anew(self, aside: Aside, before: int) -> Happening:
        first, last = self.shown(aside.spans[0].first), self.shown(aside.spans[-1].last)
        told = Happening("restarted", first, last, aside.count, self.shown(before))
        self.previous, self.previous_run = self.spans, self.run
        self.spans, self.floor, self.near_at = aside.spans, None, aside.last_at
        self.again, self.far = Aside(), Aside()
        self.runs += 1
        self.run = self.runs
        return told

    def _resume_previous(self, number: int) -> None:
        """The source goes on where it was before some numbers that looked like a new count."""
        if not self.previous:
            return
        if sum(span.last - span.first + 1 for span in self.spans) >= ANEW_LEAST:
            self.previous = []
            return
        above = number - self.previous[-1].last
        if not 0 < above <= self.counting.largest_gap + 1 or above >= abs(number - self.high):
            return
        self.spans, self.run, self.previous = self.previous, self.previous_run, []
        self.again, self.far = Aside(), Aside()

    def _holds_start(self, spans: list[Span]) -> bool:
        start = self.counting.start
        if self._round is None:
            return count_within(spans, start, start) > 0
        return any((start - span.first) % self._round <= span.last - span.first for span in spans)

    def _keep_bound(self) -> None:
        while len(self.spans) > SPANS_MOST:
            low, above = self.spans[0], self.spans[1]
            self.floor = above.first - 1
            self.spans[:2] = [Span(low.first, above.last, min(low.began_at, above.began_at))]


def write_book(book: Book) -> Mapping[str, Any]:
    """The book as JSON values."""
    return {
        "spans": _written(book.spans),
        "again": _written_aside(book.again),
        "far": _written_aside(book.far),
        "run": book.run,
        "runs": book.runs,
        "previous": _written(book.previous),
        "previous_run": book.previous_run,
        "floor": book.floor,
        "near_at": _instant(book.near_at),
    }


def read_book(written: Mapping[str, Any] | None, counting: Counting) -> Book:
    if written is None:
        return Book(counting)
    return Book(
        counting,
        _spans(written["spans"]),
        _aside(written["again"]),
        _aside(written["far"]),
        written["run"],
        written["runs"],
        _spans(written["previous"]),
        written["previous_run"],
        written["floor"],
        _moment(written["near_at"]),
    )


def _written(spans: list[Span]) -> list[list[Any]]:
    return [[span.first, span.last, span.began_at.isoformat()] for span in spans]


def _written_aside(aside: Aside) -> list[Any] | None:
    if not aside.spans:
        return None
    times = [_instant(aside.first_at), _instant(aside.last_at)]
    return [_written(aside.spans), *times, aside.high_before, aside.count, aside.lowest, aside.highest]


def _spans(written: list[list[Any]]) -> list[Span]:
    return [Span(first, last, datetime.fromisoformat(at)) for first, last, at in written]


def _aside(written: list[Any] | None) -> Aside:
    if written is None:
        return Aside()
    spans, first_at, last_at, *numbers = written
    return Aside(_spans(spans), _moment(first_at), _moment(last_at), *numbers)


def _instant(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
