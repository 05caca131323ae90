"""What a rule is: where it looks, a portion at a time, and what it says of what it finds there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from config.exception_policy import RuleSettings
from config.exception_terms import RULE_TERMS, RuleTerms
from config.topology import Topology

Key = tuple[str, ...]
"""What a rule judges: an order, an item, a transformation; the same one has the same key."""
Place = tuple[str | int, ...]
"""Where a walk goes on, as JSON keeps it."""

_UNITS = {"minutes": 60.0, "hours": 3_600.0, "seconds": 1.0}


@dataclass(frozen=True)
class Context:
    """One plant, as of one instant, and the rule's settings there."""

    topology: Topology
    plant: str
    now: datetime
    settings: RuleSettings

    @property
    def threshold(self) -> timedelta:
        """Of a rule whose key names a time."""
        key = RULE_TERMS[self.settings.word].key or ""
        return timedelta(seconds=self.settings.threshold * _UNITS[key.rpartition("_")[2]])


@dataclass(frozen=True)
class Portion:
    """``keys`` to be judged, and where the walk goes on; ``after`` None: it is at its end, and begins anew."""

    keys: Sequence[Key]
    after: Place | None


Candidates = Callable[[Session, Context, Place | None, int], Portion]
"""At most so many, from there on, by an index: never a whole table at once."""
Judge = Callable[[Session, Context, Sequence[Key]], Sequence[tuple[Key, Cause]]]
"""Those of these keys that are an exception now."""
Begin = Callable[[Session, Context], Place | None]


@dataclass(frozen=True)
class Rule:
    """``gone``: what is said where its cause is no more. ``index``: what ``candidates`` reads by, for whoever has to
    explain it. ``begin``: where its first walk of a plant begins, the table's begin unless told."""

    word: str
    candidates: Candidates
    judge: Judge
    gone: str
    index: str
    begin: Begin = lambda _session, _context: None

    @property
    def terms(self) -> RuleTerms:
        return RULE_TERMS[self.word]

    def cause_of(self, context: Context, key: Key) -> str:
        """The word and plant first, then the key: the same for the same cause, and for no other."""
        return ":".join((self.word, context.plant, *(part.replace("%", "%25").replace(":", "%3A") for part in key)))


def index_walk(keys: Sequence[Key], limit: int) -> Portion:
    """A portion whose keys are in the index's order: a short one is the last."""
    return Portion(keys, tuple(keys[-1]) if len(keys) >= limit else None)
