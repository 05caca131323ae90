"""Attribute each difference to the messages that make it: what the system surely lacks first, then what it may lack.

A message is had or lacked as a whole. So what may be there explains nothing at one place where another place of the
same message shows the contrary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.postings.ledger import SAID_NOT_POSTED, PostingState
from app.reconcile.causes import Cause
from app.reconcile.effects import Effect, effects_held, not_routed
from app.reconcile.keys import Key, Measure
from app.reconcile.standing import Side
from app.store.postings_tables import Posting, PostingAttempt

# Doubtful messages of one place that are tried in all combinations; of more, all or none.
DOUBTFUL_MOST = 12
MESSAGES_NAMED = 200
CANDIDATES_MOST = 1_000
ZERO = Decimal(0)


@dataclass(frozen=True)
class Attributed:
    """So much of a difference, and the messages that make it: ``messages`` names the first, ``count`` is all.
    ``system``: which of the compared lacks them, or has them twice."""

    cause: Cause
    quantity: Decimal
    messages: Sequence[int] = ()
    count: int = 0
    system: str | None = None


@dataclass
class Found:
    """One difference: what the system has less what was reported, or less what the other system has. ``unexplained`` is
    what the causes leave."""

    key: Key
    uom: str
    system: Decimal
    reported: Decimal
    causes: list[Attributed] = field(default_factory=list)

    @property
    def unexplained(self) -> Decimal:
        return self.system - self.reported - sum((one.quantity for one in self.causes), ZERO)


@dataclass(frozen=True)
class Lacks:
    """What one system lacks of what was reported. ``sign``: -1 where that makes a difference smaller, as the first
    system's does, and 1 where it makes it larger, as the other system's does."""

    side: Side
    sign: int
    effects: Sequence[Effect]


@dataclass(frozen=True)
class Differences:
    """Where what was compared differs, place by place."""

    measure: Measure
    found: Mapping[Key, Found]

    def is_strange(self, key: Key) -> bool:
        """Whether units differ there, so that amounts say nothing."""
        return key in self.found and any(one.cause is Cause.UNIT for one in self.found[key].causes)


@dataclass(frozen=True)
class Share:
    """What one message makes of the difference at one place, all its lines together."""

    message_id: int
    cause: Cause
    quantity: Decimal
    system: str

    @property
    def whole(self) -> tuple[int, Cause, str]:
        """By which its shares at several places belong together."""
        return self.message_id, self.cause, self.system


Shares = Mapping[Key, Sequence[Share]]


def attribute(session: Session, differences: Differences, lacks: Sequence[Lacks]) -> None:
    """First what the systems surely lack, then what they were never sent, then what may or may not be there."""
    sure = _joined(_shares(differences, one, filter(_is_sure, one.effects)) for one in lacks)
    chosen: Shares = {}
    rests = _rests(differences, sure)
    if any(rests.values()):
        doubtful = _joined(
            part
            for one in lacks
            for part in (
                _shares(differences, one, (effect for effect in one.effects if not effect.is_certain)),
                _duplicates(session, differences, one),
            )
        )
        unsent = _joined(_unsent(session, differences, one, rests) for one in lacks)
        chosen = _choose(rests, doubtful, unsent)
    for key, one in differences.found.items():
        _take(one, [*sure.get(key, ()), *chosen.get(key, ())])


def _is_sure(effect: Effect) -> bool:
    return effect.is_certain and effect.cause is not Cause.NOT_ROUTED


def _joined(parts: Iterable[Shares]) -> dict[Key, Sequence[Share]]:
    joined: dict[Key, Sequence[Share]] = {}
    for part in parts:
        for key, mine in part.items():
            joined[key] = [*joined.get(key, ()), *mine]
    return joined


def _rests(differences: Differences, sure: Shares) -> dict[Key, Decimal]:
    """What the facts leave of each difference; where they make one and there is none, as much the other way."""
    rests = {key: one.unexplained for key, one in differences.found.items()}
    for key, mine in sure.items():
        rests[key] = rests.get(key, ZERO) - sum((one.quantity for one in mine), ZERO)
    return rests


def _shares(
    differences: Differences, lacks: Lacks, effects: Iterable[Effect], *, twice: bool = False
) -> dict[Key, Sequence[Share]]:
    """By place, as far as units agree there. What a message takes from a place and puts there again makes no
    difference. ``twice``: the system has these effects once more than it should, and does not lack them."""
    measure, sign = differences.measure, -lacks.sign if twice else lacks.sign
    sums: dict[Key, dict[tuple[int, Cause], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for effect in effects:
        if effect.cause is not None:
            base = measure.base(effect.place.item, effect.quantity, effect.place.uom)
            amount = effect.quantity if base is None else base
            sums[measure.key_of(effect.place)][effect.message_id, effect.cause] += sign * amount
    by_key = {
        key: [Share(*whole, amount, lacks.side.system) for whole, amount in sorted(mine.items()) if amount]
        for key, mine in sums.items()
    }
    return {key: mine for key, mine in by_key.items() if mine and not differences.is_strange(key)}


def _take(one: Found, shares: Sequence[Share]) -> None:
    """Each cause with its messages. What sums up to nothing explains nothing, nor does a message that both systems lack
    alike."""
    of_message: dict[int, Decimal] = defaultdict(Decimal)
    for share in shares:
        of_message[share.message_id] += share.quantity
    is_of_two = len({share.system for share in shares}) > 1
    by_cause: dict[tuple[str, Cause], list[Share]] = defaultdict(list)
    for share in shares:
        if not is_of_two or of_message[share.message_id]:
            by_cause[share.system, share.cause].append(share)
    for (system, cause), mine in sorted(by_cause.items()):
        quantity = sum((share.quantity for share in mine), ZERO)
        if quantity:
            ids = sorted({share.message_id for share in mine})
            one.causes.append(Attributed(cause, quantity, ids[:MESSAGES_NAMED], len(ids), system))


def _unsent(session: Session, differences: Differences, lacks: Lacks, rests: Mapping[Key, Decimal]) -> Shares:
    items = {(key.plant, key.item) for key, rest in rests.items() if rest}
    effects = not_routed(session, lacks.side, sorted(items))
    return _shares(differences, lacks, (one for mine in effects.values() for one in mine))


def _duplicates(session: Session, differences: Differences, lacks: Lacks) -> Shares:
    """Only where there is a reason to think so: a person once said that the system did not hold a document that had
    been handed over, and it was sent again."""
    side = lacks.side
    said = select(PostingAttempt.posting_id).where(PostingAttempt.outcome == SAID_NOT_POSTED)
    posted = select(Posting.message_id).where(
        Posting.id.in_(said), Posting.target == side.system, Posting.state == PostingState.POSTED.value
    )
    held = effects_held(session, side, set(session.scalars(posted.limit(CANDIDATES_MOST))))
    again = (Effect(one.message_id, one.place, one.quantity, Cause.DUPLICATE) for one in held)
    return _shares(differences, lacks, again, twice=True)


def _choose(rests: Mapping[Key, Decimal], doubtful: Shares, unsent: Shares) -> dict[Key, Sequence[Share]]:
    """What explains each rest. A doubtful message is chosen at all of its places or at none: those that are chosen at
    some only are left out, the last of them first, until none is."""
    places: dict[tuple[int, Cause, str], set[Key]] = defaultdict(set)
    for key, mine in doubtful.items():
        for share in mine:
            places[share.whole].add(key)
    out = {whole for whole, keys in places.items() if not all(rests.get(key) for key in keys)}
    chosen: dict[Key, Sequence[Share]] = {}
    stale: Collection[Key] = rests.keys()
    while True:
        for key in stale:
            open_there = [share for share in doubtful.get(key, ()) if share.whole not in out]
            chosen[key] = _explanation(rests[key], open_there, unsent.get(key, ()))
        split = _split(chosen, places)
        if not split:
            return chosen
        last = max(split)
        out.add(last)
        stale = places[last]


def _split(chosen: Shares, places: Mapping[tuple[int, Cause, str], Collection[Key]]) -> set[tuple[int, Cause, str]]:
    """Those that are chosen at some of their places only."""
    named = {key: {share.whole for share in mine} for key, mine in chosen.items()}
    wholes = {whole for mine in named.values() for whole in mine}
    return {whole for whole in wholes if any(whole not in named[key] for key in places.get(whole, ()))}


def _explanation(rest: Decimal, doubtful: Sequence[Share], unsent: Sequence[Share]) -> Sequence[Share]:
    """What a system was never sent it lacks, unless somebody typed it in there; what is in doubt it lacks where that
    is just what is left."""
    if not rest:
        return ()
    bases = _never_sent(unsent)
    for base in bases:
        exact = _that_sum_up(doubtful, rest - _sum(base))
        if exact is not None:
            return [*base, *exact]
    nearest = min(bases, key=lambda base: abs(rest - _sum(base)))
    return nearest if abs(rest - _sum(nearest)) < abs(rest) else ()


def _never_sent(unsent: Sequence[Share]) -> Sequence[Sequence[Share]]:
    """All of it, that of either system alone, and none."""
    systems = sorted({share.system for share in unsent})
    alone = [[share for share in unsent if share.system == system] for system in systems] if len(systems) > 1 else []
    return [unsent, *alone, ()]


def _sum(shares: Iterable[Share]) -> Decimal:
    return sum((share.quantity for share in shares), ZERO)


def _that_sum_up(shares: Sequence[Share], wanted: Decimal) -> Sequence[Share] | None:
    """The fewest that together are just so much; None where none are."""
    sizes = range(len(shares) + 1) if len(shares) <= DOUBTFUL_MOST else (0, len(shares))
    for size in sizes:
        for some in combinations(shares, size):
            if sum((share.quantity for share in some), ZERO) == wanted:
                return some
    return None
