"""How long messages take, and how many are posted, as more and more of them come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bench.installation import Ground
from app.bench.speed.end_to_end import SETTLE_SECONDS, passed_at, warm_up
from app.bench.speed.figures import Figure, Runs, share_of
from app.bench.speed.installation import PLANTS, measured
from app.bench.speed.programs import practice_erp
from app.demo.run import Show

RATES = (10.0, 25.0, 50.0, 100.0, 200.0)
NAME = "posted when {:g} a second are sent"
KEEPS_UP = 0.8
"""Of the rate; what is still under way when the last is sent takes its time, too."""


@dataclass(frozen=True)
class OverLoadPlan:
    """Each of ``rates`` (messages a second, of all plants) for so many seconds."""

    ground: Ground
    runs: int = 3
    seconds: int = 10
    rates: Sequence[float] = RATES


def run_over_load(plan: OverLoadPlan, home: Path, show: Show) -> list[Figure]:
    """From the lowest rate up, in an installation of its own each time. A run ends at the first rate that it does not
    keep up with, which is told: beyond it only the backlog would be measured."""
    found: dict[float, list[dict[str, Any]]] = {}
    with show.progress("Over load") as advance, practice_erp(home) as erp:
        for turn in range(plan.runs):
            with measured(home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, erp.url)) as here:
                warm_up(here, erp)
                for place, rate in enumerate(plan.rates):
                    passed = passed_at(here, erp, rate, plan.seconds, (place + 1) * 10**8, SETTLE_SECONDS)
                    p50, p99 = share_of(passed.took, 0.5), share_of(passed.took, 0.99)
                    told = {"sent": rate, "posted": round(passed.rate, 1), "p50": round(p50, 4), "p99": round(p99, 4)}
                    found.setdefault(rate, []).append(told)
                    advance((turn + (place + 1) / len(plan.rates)) / plan.runs)
                    if passed.rate < rate * KEEPS_UP:
                        break
    return [
        Figure(NAME.format(rate), plan.ground.stack, "messages/s", Runs([one["posted"] for one in told], told))
        for rate, told in found.items()
    ]
