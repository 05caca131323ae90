"""Compare a snapshot with what was reported, or with another system's, and attribute each difference to the messages
that make it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from app.projections.items import load_items
from app.projections.movements import Place
from app.reconcile.attribution import Attributed, Differences, Found, Lacks, attribute
from app.reconcile.causes import Cause
from app.reconcile.effects import Effect, lacking, ledger_at, pending
from app.reconcile.keys import Key, Level, Measure
from app.reconcile.own_corrections import corrections_lacked
from app.reconcile.standing import Side
from app.store.snapshots import Balance as Balance
from config.topology import Topology

ZERO = Decimal(0)


@dataclass(frozen=True)
class Comparison:
    """``unread``: messages whose effect nobody can tell; ``is_whole``: whether all messages that the system may lack
    were looked at."""

    compared: int
    differences: Sequence[Found]
    unread: Sequence[int]
    is_whole: bool


@dataclass(frozen=True)
class Told:
    """What one system says that it had at ``taken_at``."""

    system: str
    taken_at: datetime
    balances: Sequence[Balance]


def compare(
    session: Session, topology: Topology, system: str, balances: Iterable[Balance], cut_off: datetime, level: Level
) -> Comparison:
    """Everything in which the system differs from what was reported up to the cut-off, with its causes."""
    rows = list(balances)
    side = Side(system, cut_off, cut_off)
    ledger = ledger_at(session, cut_off)
    waiting = pending(session, side)
    items = load_items(session, {row.item for row in rows} | {place.item for place in ledger})
    books = _Books(Measure(topology, level, items))
    books.add_balances(rows)
    for place, quantity in ledger.items():
        books.add_reported(place, quantity)
    for effect in waiting.effects:
        books.add_reported(effect.place, effect.quantity)
    lacks, is_whole = lacking(session, side)
    own = corrections_lacked(session, side)
    found = books.differences()
    attribute(session, found, [Lacks(side, -1, [*waiting.effects, *lacks, *own])])
    return Comparison(books.compared, _in_order(found), waiting.unread, waiting.is_whole and is_whole)


def compare_two(session: Session, topology: Topology, one: Told, other: Told, level: Level) -> Comparison:
    """Everything in which the one differs from the other, by what each lacks of what was reported up to the later of
    the two snapshots. What both lack makes no difference between them."""
    cut_off = max(one.taken_at, other.taken_at)
    items = load_items(session, {row.item for told in (one, other) for row in told.balances})
    books = _Books(Measure(topology, level, items))
    books.add_balances(one.balances)
    books.add_balances(other.balances, to_the_other=True)
    lacks: list[Lacks] = []
    unread: set[int] = set()
    is_whole = True
    for told, sign in ((one, -1), (other, 1)):
        side = Side(told.system, told.taken_at, cut_off)
        effects, its_unread, all_of_it = _lacked_by(session, side)
        lacks.append(Lacks(side, sign, effects))
        unread |= set(its_unread)
        is_whole = is_whole and all_of_it
    found = books.differences()
    attribute(session, found, lacks)
    return Comparison(books.compared, _in_order(found), sorted(unread), is_whole)


def _lacked_by(session: Session, side: Side) -> tuple[Sequence[Effect], Sequence[int], bool]:
    waiting = pending(session, side)
    lacks, is_whole = lacking(session, side)
    own = corrections_lacked(session, side)
    return [*waiting.effects, *lacks, *own], waiting.unread, waiting.is_whole and is_whole


def _in_order(differences: Differences) -> Sequence[Found]:
    found = [one for _, one in sorted(differences.found.items())]
    _swapped(found)
    return found


class _Books:
    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._system: dict[Key, Decimal] = defaultdict(Decimal)
        self._reported: dict[Key, Decimal] = defaultdict(Decimal)
        self._strange: dict[Key, Decimal] = defaultdict(Decimal)
        self._uoms: dict[Key, str] = {}

    def add_balances(self, rows: Iterable[Balance], *, to_the_other: bool = False) -> None:
        """What comes in a unit that the item has not is counted as it stands, and is a difference of its own."""
        amounts = self._reported if to_the_other else self._system
        for row in rows:
            key = self._measure.key(row.plant, row.item, row.storage, row.lot)
            base = self._measure.base(row.item, row.value, row.uom)
            self._uoms.setdefault(key, self._measure.uom(row.item, row.uom))
            amounts[key] += row.value if base is None else base
            if base is None or (row.item not in self._measure.items and self._uoms[key] != row.uom):
                self._strange[key] += row.value

    def add_reported(self, place: Place, value: Decimal) -> None:
        key = self._measure.key_of(place)
        base = self._measure.base(place.item, value, place.uom)
        self._uoms.setdefault(key, self._measure.uom(place.item, place.uom))
        self._reported[key] += value if base is None else base
        if base is None:
            self._strange[key] += value

    @property
    def compared(self) -> int:
        return len(self._system.keys() | self._reported.keys())

    def differences(self) -> Differences:
        found: dict[Key, Found] = {}
        for key in self._system.keys() | self._reported.keys():
            system, reported = self._system.get(key, ZERO), self._reported.get(key, ZERO)
            if system != reported or key in self._strange:
                one = found[key] = Found(key, self._uoms[key], system, reported)
                if key in self._strange:
                    one.causes.append(Attributed(Cause.UNIT, one.unexplained))
        return Differences(self._measure, found)


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
