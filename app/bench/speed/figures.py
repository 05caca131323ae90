"""A measured figure beside its yardstick, both as the median of several runs by turns."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

DIGITS = 4


@dataclass(frozen=True)
class Runs:
    """What several runs of one thing gave; ``detail`` is what else was seen of each, such as how connections were
    split."""

    figures: Sequence[float]
    detail: Sequence[Mapping[str, Any]] = ()

    @property
    def median(self) -> float:
        return statistics.median(self.figures)

    def wire(self) -> dict[str, Any]:
        told = {"median": _short(self.median), "runs": [_short(figure) for figure in self.figures]}
        return told | ({"detail": list(self.detail)} if self.detail else {})


@dataclass(frozen=True)
class Goal:
    """``text`` for people; ``met`` None where nothing was to be compared with."""

    text: str
    met: bool | None


@dataclass(frozen=True)
class Figure:
    """``yardsticks``: what was measured by turns with it, by name. The ratio is to the first."""

    name: str
    stack: str
    unit: str
    runs: Runs
    yardsticks: Mapping[str, Runs] = field(default_factory=dict)
    goals: Sequence[Goal] = ()

    def ratio(self, yardstick: str) -> float:
        return self.runs.median / self.yardsticks[yardstick].median

    def wire(self) -> dict[str, Any]:
        first = next(iter(self.yardsticks), None)
        met = [goal.met for goal in self.goals if goal.met is not None]
        return {
            "name": self.name,
            "stack": self.stack,
            "figure": _short(self.runs.median),
            "unit": self.unit,
            "yardstick": first,
            "ratio": None if first is None else _short(self.ratio(first)),
            "goal": "; ".join(goal.text for goal in self.goals) or None,
            "met": all(met) if met else None,
            "runs": self.runs.wire(),
            "yardsticks": {
                name: {**runs.wire(), "ratio": _short(self.ratio(name))} for name, runs in self.yardsticks.items()
            },
        }


def at_least(figure: float, low: float, text: str) -> Goal:
    return Goal(text, figure >= low)


def at_most(figure: float, high: float, text: str) -> Goal:
    return Goal(text, figure <= high)


def share_of(ordered: Sequence[float], share: float) -> float:
    """The figure below or at which that share of them lies, as 0.99 for p99."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _short(figure: float) -> float:
    return float(f"{figure:.{DIGITS}g}")
