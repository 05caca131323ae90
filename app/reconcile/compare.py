"""Compare a snapshot with what was reported, and attribute each difference to the messages that make it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.postings.ledger import SAID_NOT_POSTED, PostingState
from app.projections.items import load_items
from app.reconcile.effects import Cause, Effect, effects_held, lacking, ledger_at, not_routed, pending
from app.reconcile.keys import Key, Level, Measure
from app.store.postings_tables import Posting, PostingAttempt
from config.topology import Topology

# Doubtful effects of one place that are tried in all combinations; of more, all or none.
DOUBTFUL_MOST = 12
MESSAGES_NAMED = 200
CANDIDATES_MOST = 1_000
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
class Attributed:
    """So much of a difference, and the messages that make it: ``messages`` names the first, ``count`` is all."""

    cause: Cause
    quantity: Decimal
    messages: Sequence[int] = ()
    count: int = 0


@dataclass
class Found:
    """One difference: what the system has less what was reported. ``unexplained`` is what the causes leave."""

    key: Key
    uom: str
    system: Decimal
    reported: Decimal
    causes: list[Attributed] = field(default_factory=list)

    @property
    def unexplained(self) -> Decimal:
        return self.system - self.reported - sum((one.quantity for one in self.causes), ZERO)


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
    _attribute(session, system, cut_off, measure, found, [*waiting.effects, *lacks])
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


def _attribute(
    session: Session,
    system: str,
    cut_off: datetime,
    measure: Measure,
    found: Mapping[Key, Found],
    effects: Sequence[Effect],
) -> None:
    """First what the system surely lacks, then what it was never sent, then what may or may not be there."""
    certain: dict[Key, list[Effect]] = defaultdict(list)
    doubtful: dict[Key, list[Effect]] = defaultdict(list)
    for effect in effects:
        key = measure.key_of(effect.place)
        if effect.cause is not None and key in found and not found[key].causes:
            (certain if effect.is_certain else doubtful)[key].append(effect)
    for key, mine in certain.items():
        _take(found[key], mine, measure)
    left = {(one.key.plant, one.key.item) for one in found.values() if one.unexplained}
    for unsent in not_routed(session, system, cut_off, sorted(left)).values():
        by_key: dict[Key, list[Effect]] = defaultdict(list)
        for effect in unsent:
            by_key[measure.key_of(effect.place)].append(effect)
        for key, mine in by_key.items():
            left_then = found[key].unexplained if key in found else ZERO
            # What the system was never sent it may have all the same, typed in by hand.
            if abs(left_then + sum((_base(effect, measure) for effect in mine), ZERO)) < abs(left_then):
                _take(found[key], mine, measure)
    for key, mine in doubtful.items():
        _take(found[key], _that_explain(mine, -found[key].unexplained, measure), measure)
    _find_duplicates(session, system, cut_off, measure, found)


def _take(one: Found, effects: Sequence[Effect], measure: Measure, sign: int = -1) -> None:
    """Each cause with its messages. What sums up to nothing explains nothing."""
    by_cause: dict[Cause, list[Effect]] = defaultdict(list)
    for effect in effects:
        if effect.cause is not None:
            by_cause[effect.cause].append(effect)
    for cause, mine in sorted(by_cause.items()):
        quantity = sum((_base(effect, measure) for effect in mine), ZERO)
        ids = sorted({effect.message_id for effect in mine})
        if quantity:
            one.causes.append(Attributed(cause, sign * quantity, ids[:MESSAGES_NAMED], len(ids)))


def _base(effect: Effect, measure: Measure) -> Decimal:
    base = measure.base(effect.place.item, effect.quantity, effect.place.uom)
    return effect.quantity if base is None else base


def _that_explain(effects: Sequence[Effect], wanted: Decimal, measure: Measure) -> list[Effect]:
    """Those that together are just what is missing, of the fewest messages, and none where they are not. A message is
    there with all that it does to the place, or not at all: half of a move is nothing that anybody could lack."""
    if not wanted:
        return []
    by_message: dict[int, list[Effect]] = defaultdict(list)
    for effect in effects:
        by_message[effect.message_id].append(effect)
    sums = [(mine, sum((_base(effect, measure) for effect in mine), ZERO)) for mine in by_message.values()]
    amounts = [one for one in sums if one[1]]
    sizes = range(1, len(amounts) + 1) if len(amounts) <= DOUBTFUL_MOST else (len(amounts),)
    for size in sizes:
        for chosen in combinations(amounts, size):
            if sum((amount for _, amount in chosen), ZERO) == wanted:
                return [effect for mine, _ in chosen for effect in mine]
    return []


def _find_duplicates(
    session: Session, system: str, cut_off: datetime, measure: Measure, found: Mapping[Key, Found]
) -> None:
    """Only where there is a reason to think so: a person once said that the system did not hold a document that had
    been handed over, and it was sent again."""
    if not any(one.unexplained for one in found.values()):
        return
    said = select(PostingAttempt.posting_id).where(PostingAttempt.outcome == SAID_NOT_POSTED)
    posted = select(Posting.message_id).where(
        Posting.id.in_(said), Posting.target == system, Posting.state == PostingState.POSTED.value
    )
    suspects = set(session.scalars(posted.limit(CANDIDATES_MOST)))
    by_key: dict[Key, list[Effect]] = defaultdict(list)
    for effect in effects_held(session, system, cut_off, suspects):
        by_key[measure.key_of(effect.place)].append(effect)
    for key, mine in by_key.items():
        if key in found and (twice := _that_explain(mine, found[key].unexplained, measure)):
            _take(found[key], [_as_duplicate(effect) for effect in twice], measure, sign=1)


def _as_duplicate(effect: Effect) -> Effect:
    return Effect(effect.message_id, effect.place, effect.quantity, Cause.DUPLICATE)


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
