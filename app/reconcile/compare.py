"""Compare a snapshot with what was reported, and attribute each difference to the messages that make it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from app.projections.items import load_items
from app.reconcile.attribution import Attributed, Found, Sides, attribute
from app.reconcile.effects import Cause, lacking, ledger_at, pending
from app.reconcile.keys import Key, Level, Measure
from config.topology import Topology

ZERO = Decimal(0)


@dataclass(frozen=True)
class Balance:
    """What a system says of one place, in its own unit; what it does not tell apart is empty."""

    plant: str
    item: str
    storage: str
    lot: str
    value: Decimal
    uom: str


@dataclass(frozen=True)
class Comparison:
    """``unread``: messages whose effect nobody can tell; ``is_whole``: whether all messages that the system may lack
    were looked at."""

    compared: int
    differences: Sequence[Found]
    unread: Sequence[int]
    is_whole: bool


def compare(
    session: Session, topology: Topology, system: str, balances: Iterable[Balance], cut_off: datetime, level: Level
) -> Comparison:
    """Everything in which the system differs from what was reported up to the cut-off, with its causes."""
    rows = list(balances)
    ledger = ledger_at(session, cut_off)
    waiting = pending(session, system, cut_off)
    items = load_items(session, {row.item for row in rows} | {place.item for place in ledger})
    measure = Measure(topology, level, items)
    books = _Books(measure)
    for row in rows:
        books.add_system(measure.key(row.plant, row.item, row.storage, row.lot), row.value, row.uom)
    for place, quantity in ledger.items():
        books.add_reported(measure.key_of(place), quantity, place.uom)
    for effect in waiting.effects:
        books.add_reported(measure.key_of(effect.place), effect.quantity, effect.place.uom)
    found = books.differences()
    lacks, is_whole = lacking(session, system, cut_off)
    attribute(session, Sides(system, cut_off, measure, found), [*waiting.effects, *lacks])
    differences = [one for _, one in sorted(found.items())]
    _swapped(differences)
    return Comparison(books.compared, differences, waiting.unread, waiting.is_whole and is_whole)


class _Books:
    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._system: dict[Key, Decimal] = defaultdict(Decimal)
        self._reported: dict[Key, Decimal] = defaultdict(Decimal)
        self._strange: dict[Key, Decimal] = defaultdict(Decimal)
        self._uoms: dict[Key, str] = {}

    def add_system(self, key: Key, value: Decimal, uom: str) -> None:
        """What comes in a unit that the item has not is counted as it stands, and is a difference of its own."""
        base = self._measure.base(key.item, value, uom)
        self._uoms.setdefault(key, self._measure.uom(key.item, uom))
        self._system[key] += value if base is None else base
        if base is None or (key.item not in self._measure.items and self._uoms[key] != uom):
            self._strange[key] += value

    def add_reported(self, key: Key, value: Decimal, uom: str) -> None:
        base = self._measure.base(key.item, value, uom)
        self._uoms.setdefault(key, self._measure.uom(key.item, uom))
        self._reported[key] += value if base is None else base
        if base is None:
            self._strange[key] += value

    @property
    def compared(self) -> int:
        return len(self._system.keys() | self._reported.keys())

    def differences(self) -> dict[Key, Found]:
        found: dict[Key, Found] = {}
        for key in self._system.keys() | self._reported.keys():
            system, reported = self._system.get(key, ZERO), self._reported.get(key, ZERO)
            if system != reported or key in self._strange:
                one = found[key] = Found(key, self._uoms[key], system, reported)
                if key in self._strange:
                    one.causes.append(Attributed(Cause.UNIT, one.unexplained))
        return found


def _swapped(differences: Sequence[Found]) -> None:
    """What one lot or storage location has too much and others of the item in the plant too little."""
    by_item: dict[tuple[str, str], list[Found]] = defaultdict(list)
    for one in differences:
        if one.unexplained:
            by_item[one.key.plant, one.key.item].append(one)
    for mine in by_item.values():
        by_storage: dict[str, list[Found]] = defaultdict(list)
        for one in mine:
            by_storage[one.key.storage].append(one)
        for same_place in by_storage.values():
            _even_out(same_place, Cause.LOT)
        _even_out([one for one in mine if one.unexplained], Cause.STORAGE)


def _even_out(differences: Sequence[Found], cause: Cause) -> None:
    if len(differences) > 1 and not sum((one.unexplained for one in differences), ZERO):
        for one in differences:
            one.causes.append(Attributed(cause, one.unexplained))
