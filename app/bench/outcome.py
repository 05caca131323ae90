"""What a run was made of and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.bench.counting import Count
from app.bench.installation import Ground
from app.bench.schedule import KINDS, TRYTON_KINDS


@dataclass(frozen=True)
class Plan:
    """What a run is made of; the same plan sends the same messages and suffers the same faults at the same places.
    ``in_tryton`` of the messages are posted to a real ERP; with none, there is none."""

    seed: int
    messages: int
    faults: int
    ground: Ground
    kinds: tuple[str, ...] = KINDS + TRYTON_KINDS
    in_tryton: int = 0

    def possible_kinds(self) -> tuple[str, ...]:
        return tuple(kind for kind in self.kinds if self.in_tryton or kind not in TRYTON_KINDS)


@dataclass(frozen=True)
class Outcome:
    """``dead`` counts by reason what the targets refused or Lineside gave up; ``requeued`` those of them that nobody
    refused, and that a person would have requeued too. ``missed`` are points that were armed and not reached.
    ``drafts`` are documents that stand in Tryton without effect; ``in_tryton`` those with one. ``unfinished``: what
    Lineside says of each message that is neither posted nor discarded."""

    plan: Plan
    accepted: int
    count: Count
    doubled: int
    in_tryton: int
    drafts: int
    refused_at_the_door: tuple[str, ...]
    dead: Mapping[str, int]
    requeued: Mapping[str, int]
    faults: Mapping[str, int]
    missed: tuple[str, ...]
    reached: frozenset[str]
    settled: bool
    seconds: float
    home: Path | None
    unfinished: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_clean(self) -> bool:
        found = self.count
        faults = (
            found.doubled,
            found.lost,
            found.misordered,
            found.unreversed,
            found.unexpected,
            found.stock,
            found.picture,
        )
        return self.settled and not any(faults) and not self.refused_at_the_door

    def as_json(self) -> dict[str, Any]:
        found = self.count
        return {
            "seed": self.plan.seed,
            "stack": self.plan.ground.stack,
            "messages": self.plan.messages,
            "accepted": self.accepted,
            "posted": found.posted,
            "in_tryton": self.in_tryton,
            "doubled": self.doubled,
            "lost": len(found.lost),
            "misordered": len(found.misordered),
            "reversed": found.reversed,
            "unreversed": len(found.unreversed),
            "unexpected": len(found.unexpected),
            "stock_differences": len(found.stock),
            "picture_differences": len(found.picture),
            "refused_at_the_door": len(self.refused_at_the_door),
            "tryton_drafts": self.drafts,
            "dead": sum(self.dead.values()),
            "dead_reasons": dict(self.dead),
            "requeued": dict(self.requeued),
            "faults": dict(sorted(self.faults.items())),
            "missed": list(self.missed),
            "settled": self.settled,
            "seconds": round(self.seconds, 1),
            "clean": self.is_clean,
        }

    def account(self, shown: int = 10) -> str:
        """All that was found, line by line, and how to find it again."""
        found, plan = self.count, self.plan
        kinds = {"lost": found.lost, "doubled": found.doubled, "misordered": found.misordered, "stock": found.stock}
        kinds |= {"dead, and not reversed": found.unreversed, "refused at the door": self.refused_at_the_door}
        kinds |= {"in Lineside's own picture": found.picture}
        kinds |= {"in the books, and should not be": found.unexpected}
        lines = [f"{kind}: {place}" for kind, places in kinds.items() for place in places[:shown]]
        left = {
            name: told
            for name, told in self.unfinished.items()
            if any(place.startswith(f"{name} ") for place in found.lost)
        }
        lines += [f"Lineside says of {name}: {told}" for name, told in list(left.items())[:shown]]
        lines += [] if self.settled else ["Not everything had come to rest in time."]
        again = f"lineside bench chaos --seed {plan.seed} --messages {plan.messages} --faults {plan.faults}"
        again += f" --erp-messages {plan.in_tryton} --stack {plan.ground.stack}"
        return "\n".join([*lines, f"Again: {again}. Logs and databases: {self.home}"])
