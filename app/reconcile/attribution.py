"""Attribute each difference to the messages that make it: what the system surely lacks first, then what it may lack.

A message is had or lacked as a whole. So what may be there explains nothing at one place where another place of the
same message shows the contrary.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from itertools import combinations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.postings.ledger import SAID_NOT_POSTED, PostingState
from app.reconcile.effects import Cause, Effect, effects_held, not_routed
from app.reconcile.keys import Key, Measure
from app.store.postings_tables import Posting, PostingAttempt

# Doubtful messages of one place that are tried in all combinations; of more, all or none.
DOUBTFUL_MOST = 12
MESSAGES_NAMED = 200
CANDIDATES_MOST = 1_000
ZERO = Decimal(0)


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
class Sides:
    """The system that was asked, up to when, and where it differs from what was reported."""

    system: str
    cut_off: datetime
    measure: Measure
    found: Mapping[Key, Found]


@dataclass(frozen=True)
class Share:
    """What one message makes of the difference at one place, all its lines together."""

    message_id: int
    cause: Cause
    quantity: Decimal

    @property
    def whole(self) -> tuple[int, Cause]:
        """By which its shares at several places belong together."""
        return self.message_id, self.cause


Shares = Mapping[Key, Sequence[Share]]


def attribute(session: Session, sides: Sides, lacked: Sequence[Effect]) -> None:
    """First what the system surely lacks, then what it was never sent, then what may or may not be there."""
    sure = _shares(sides, (one for one in lacked if one.is_certain and one.cause is not Cause.NOT_ROUTED))
    chosen: Shares = {}
    rests = _rests(sides, sure)
    if any(rests.values()):
        doubtful = dict(_shares(sides, (one for one in lacked if not one.is_certain)))
        for key, suspects in _duplicates(session, sides).items():
            doubtful[key] = [*doubtful.get(key, ()), *suspects]
        chosen = _choose(rests, doubtful, _unsent(session, sides, rests))
    for key, one in sides.found.items():
        _take(one, [*sure.get(key, ()), *chosen.get(key, ())])


def _rests(sides: Sides, sure: Shares) -> dict[Key, Decimal]:
    """What the facts leave of each difference; where they make one and there is none, as much the other way."""
    rests = {key: one.unexplained for key, one in sides.found.items()}
    for key, mine in sure.items():
        rests[key] = rests.get(key, ZERO) - sum((one.quantity for one in mine), ZERO)
    return rests


def _is_strange(sides: Sides, key: Key) -> bool:
    """Whether units differ there, so that amounts say nothing."""
    return key in sides.found and any(one.cause is Cause.UNIT for one in sides.found[key].causes)


def _shares(sides: Sides, effects: Iterable[Effect], sign: int = -1) -> dict[Key, Sequence[Share]]:
    """By place, as far as units agree there. What a message takes from a place and puts there again makes no
    difference."""
    sums: dict[Key, dict[tuple[int, Cause], Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for effect in effects:
        if effect.cause is not None:
            base = sides.measure.base(effect.place.item, effect.quantity, effect.place.uom)
            amount = effect.quantity if base is None else base
            sums[sides.measure.key_of(effect.place)][effect.message_id, effect.cause] += sign * amount
    by_key = {
        key: [Share(*whole, amount) for whole, amount in sorted(mine.items()) if amount] for key, mine in sums.items()
    }
    return {key: mine for key, mine in by_key.items() if mine and not _is_strange(sides, key)}


def _take(one: Found, shares: Sequence[Share]) -> None:
    """Each cause with its messages. What sums up to nothing explains nothing."""
    by_cause: dict[Cause, list[Share]] = defaultdict(list)
    for share in shares:
        by_cause[share.cause].append(share)
    for cause, mine in sorted(by_cause.items()):
        quantity = sum((share.quantity for share in mine), ZERO)
        if quantity:
            ids = sorted({share.message_id for share in mine})
            one.causes.append(Attributed(cause, quantity, ids[:MESSAGES_NAMED], len(ids)))


def _unsent(session: Session, sides: Sides, rests: Mapping[Key, Decimal]) -> dict[Key, Sequence[Share]]:
    items = {(key.plant, key.item) for key, rest in rests.items() if rest}
    effects = not_routed(session, sides.system, sides.cut_off, sorted(items))
    return _shares(sides, (one for mine in effects.values() for one in mine))


def _duplicates(session: Session, sides: Sides) -> dict[Key, Sequence[Share]]:
    """Only where there is a reason to think so: a person once said that the system did not hold a document that had
    been handed over, and it was sent again."""
    said = select(PostingAttempt.posting_id).where(PostingAttempt.outcome == SAID_NOT_POSTED)
    posted = select(Posting.message_id).where(
        Posting.id.in_(said), Posting.target == sides.system, Posting.state == PostingState.POSTED.value
    )
    suspects = set(session.scalars(posted.limit(CANDIDATES_MOST)))
    held = effects_held(session, sides.system, sides.cut_off, suspects)
    twice = (Effect(one.message_id, one.place, one.quantity, Cause.DUPLICATE) for one in held)
    return _shares(sides, twice, sign=1)


def _choose(rests: Mapping[Key, Decimal], doubtful: Shares, unsent: Shares) -> dict[Key, Sequence[Share]]:
    """What explains each rest. A doubtful message is chosen at all of its places or at none: those that are chosen at
    some only are left out, the last of them first, until none is."""
    places: dict[tuple[int, Cause], set[Key]] = defaultdict(set)
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


def _split(chosen: Shares, places: Mapping[tuple[int, Cause], Collection[Key]]) -> set[tuple[int, Cause]]:
    """Those that are chosen at some of their places only."""
    named = {key: {share.whole for share in mine} for key, mine in chosen.items()}
    wholes = {whole for mine in named.values() for whole in mine}
    return {whole for whole in wholes if any(whole not in named[key] for key in places.get(whole, ()))}


def _explanation(rest: Decimal, doubtful: Sequence[Share], unsent: Sequence[Share]) -> Sequence[Share]:
    """What the system was never sent it lacks, unless somebody typed it in there; what is in doubt it lacks where that
    is just what is left."""
    if not rest:
        return ()
    without = rest - sum((share.quantity for share in unsent), ZERO)
    for base, wanted in ((unsent, without), ((), rest)):
        exact = _that_sum_up(doubtful, wanted)
        if exact is not None:
            return [*base, *exact]
    return unsent if abs(without) < abs(rest) else ()


def _that_sum_up(shares: Sequence[Share], wanted: Decimal) -> Sequence[Share] | None:
    """The fewest that together are just so much; None where none are."""
    sizes = range(len(shares) + 1) if len(shares) <= DOUBTFUL_MOST else (0, len(shares))
    for size in sizes:
        for some in combinations(shares, size):
            if sum((share.quantity for share in some), ZERO) == wanted:
                return some
    return None
