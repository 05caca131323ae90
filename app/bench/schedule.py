"""Which faults a run suffers and when: drawn from the seed, each kind at least once where there is room for all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from app.bench.points import POINTS
from app.bench.practice_systems import SYSTEMS

KILLED = ("web", "watch", "work", "post", "relay", "beat")
SUSPENDED = ("web", "watch", "work", "post", "relay")
AT_A_TARGET = ("dropped", "429", "500", "500_after_commit", "slow", "reset", "hang")

KINDS: tuple[str, ...] = (
    *(f"kill.{point.name}" for point in POINTS),
    *(f"kill.{process}" for process in KILLED),
    *(f"suspend.{process}" for process in SUSPENDED),
    *("broker.flush", "broker.restart", "broker.away", "database.cut"),
    *(f"target.{kind}" for kind in AT_A_TARGET),
    *("relay.twice", "beat.twice"),
)

TRYTON_KINDS: tuple[str, ...] = (*(f"tryton.{kind}" for kind in AT_A_TARGET), "tryton.kill", "tryton.suspend")
"""What a run with a Tryton suffers besides."""

# The last part of the feed comes after the last fault: whatever is armed by then still meets something.
QUIET_TAIL = 0.12


@dataclass(frozen=True)
class Fault:
    """One fault, before the sending at ``place`` of the feed. ``target`` is whom it strikes, where that matters."""

    place: int
    kind: str
    target: str


def make_schedule(seed: int, faults: int, sendings: int, kinds: Sequence[str] = KINDS) -> list[Fault]:
    """So many faults at even distances."""
    random = Random(f"faults of {seed}")
    drawn = random.sample(kinds, min(faults, len(kinds)))
    drawn += [random.choice(kinds) for _ in range(faults - len(drawn))]
    random.shuffle(drawn)
    last = sendings * (1 - QUIET_TAIL)
    return [
        Fault(round(last * (number + 1) / (len(drawn) + 1)), kind, random.choice(SYSTEMS))
        for number, kind in enumerate(drawn)
    ]
