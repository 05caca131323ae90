"""How far the numbers of a source that leaves none out have come, for each of its keys."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.store.key_sets import among
from app.store.order_tables import SequencePosition

SEQUENCE_MISSING = "sequence_missing"
"""Why a message is dead that waited in vain for numbers before its own; a requeue goes past them."""
DIGITS_MOST = 18
# Numbers beyond a gap that a person discarded; whoever discards more of one key has them named as missing.
PASSED_MOST = 1_000
CHUNK = 200


class Row(NamedTuple):
    """A row of numbers: the sender counts by itself within each key."""

    plant: str
    source: str
    ordering_key: str


@dataclass(frozen=True)
class Position:
    """``reached``: all numbers up to it have come, None while none has; ``passed``: discarded ones beyond it."""

    reached: int | None = None
    passed: frozenset[int] = frozenset()

    def begun(self, start: int) -> tuple[int, frozenset[int]]:
        """The same as values; where no number has come yet, just before the first one."""
        reached = self.reaches(start - 1) if self.reached is None else self
        return reached.reached if reached.reached is not None else start - 1, reached.passed

    def reaches(self, number: int) -> Position:
        """Once this number has taken effect, or was gone past."""
        reached = max(number, self.reached if self.reached is not None else number)
        while reached + 1 in self.passed:
            reached += 1
        return Position(reached, frozenset(one for one in self.passed if one > reached))

    def passes(self, numbers: Collection[int]) -> Position:
        """Once a person has discarded these."""
        passed = frozenset(sorted(self.passed | set(numbers))[:PASSED_MOST])
        return Position(None, passed) if self.reached is None else Position(self.reached, passed).reaches(self.reached)


def number_of(sequence: str | None) -> int | None:
    """The sequence as a number; None where it is none, or has more digits than any counter."""
    fits = sequence is not None and sequence.isascii() and sequence.isdigit() and len(sequence) <= DIGITS_MOST
    return int(sequence) if sequence is not None and fits else None


def missing(after: int, before: int, passed: Collection[int]) -> Iterator[tuple[int, int]]:
    """The numbers between the two that have not come, as ranges."""
    first = after + 1
    for number in [*sorted(one for one in passed if after < one < before), before]:
        if first < number:
            yield first, number - 1
        first = number + 1


def load_positions(session: Session, rows: Collection[Row]) -> dict[Row, Position]:
    return _load(session, rows, locks=False)


def reach(session: Session, numbers: Mapping[Row, int], now: datetime) -> None:
    """These numbers took effect, the highest of each row, or are gone past together with all before them."""
    _change(session, numbers.keys(), lambda row, was: was.reaches(numbers[row]), now)


def pass_over(session: Session, numbers: Mapping[Row, Collection[int]], now: datetime) -> None:
    """These were discarded: nobody waits for them."""
    _change(session, numbers.keys(), lambda row, was: was.passes(numbers[row]), now)


_UPDATE = (
    update(SequencePosition)
    .where(
        SequencePosition.plant == bindparam("b_plant"),
        SequencePosition.source == bindparam("b_source"),
        SequencePosition.ordering_key == bindparam("b_key"),
    )
    .values(reached=bindparam("b_reached"), passed=bindparam("b_passed"), updated_at=bindparam("b_at"))
)


def _change(
    session: Session, rows: Collection[Row], changed: Callable[[Row, Position], Position], now: datetime
) -> None:
    if not rows:
        return
    build: Any = sqlite.insert if session.connection().dialect.name == "sqlite" else postgresql.insert
    begun = [{**row._asdict(), "reached": None, "passed": [], "updated_at": now} for row in sorted(rows)]
    session.connection().execute(build(SequencePosition).on_conflict_do_nothing(), begun)
    found = _load(session, rows, locks=True)
    new = {row: changed(row, was) for row, was in found.items()}
    changes = [
        {
            "b_plant": row.plant,
            "b_source": row.source,
            "b_key": row.ordering_key,
            "b_reached": position.reached,
            "b_passed": sorted(position.passed),
            "b_at": now,
        }
        for row, position in new.items()
    ]
    session.connection().execute(_UPDATE, changes)


def _load(session: Session, rows: Collection[Row], locks: bool) -> dict[Row, Position]:
    """Locked, where asked for, in one order, so that two callers cannot wait for each other."""
    columns = (SequencePosition.plant, SequencePosition.source, SequencePosition.ordering_key)
    wanted = sorted(rows)
    found: dict[Row, Position] = {}
    for start in range(0, len(wanted), CHUNK):
        query = select(*columns, SequencePosition.reached, SequencePosition.passed)
        query = query.where(among(columns, wanted[start : start + CHUNK])).order_by(*columns)
        for row in session.execute(query.with_for_update() if locks else query):
            found[Row(*row[:3])] = Position(row.reached, frozenset(row.passed))
    return found
