"""One plant's ERP does not answer: how long another plant's messages take, beside how long they took before."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.bench.hang import HangPlan, run_hang
from app.bench.installation import Ground
from app.bench.layout import OTHER_PLANT
from app.bench.speed.figures import Figure, Runs, at_most
from app.bench.speed.programs import SpeedFailed
from app.demo.run import Show

NAME, BEFORE = "one plant's ERP hangs, another plant's p99", "before it hung"
AT_MOST = 1.3
LIMIT_SECONDS = 60.0
RATE = 5


@dataclass(frozen=True)
class HungPlan:
    """Each plant sends RATE messages a second for ``seconds`` before, while it hangs, and half as long afterwards."""

    ground: Ground
    runs: int = 3
    seconds: int = 60


def run_hung(plan: HungPlan, _home: Path, show: Show) -> list[Figure]:
    """In an installation of its own each time. Raises SpeedFailed where a message was lost or doubled."""
    before, during, detail = [], [], []
    for _ in range(plan.runs):
        each = HangPlan(plan.ground, RATE, plan.seconds, plan.seconds, plan.seconds // 2)
        outcome = run_hang(each, show, LIMIT_SECONDS)
        if not len(outcome.passages) == outcome.accepted == outcome.documents:
            told = f"{outcome.accepted:,} accepted, {len(outcome.passages):,} posted, {outcome.documents:,} documents"
            raise SpeedFailed(f"Messages were lost or doubled: {told}.")
        figures = outcome.figures(OTHER_PLANT)
        before.append(figures["before"]["p99"])
        during.append(figures["during"]["p99"])
        detail.append({name: figures["during"][name] for name in ("p50", "p99")})
    first, then = Runs(before), Runs(during, detail)
    goal = at_most(then.median / first.median, AT_MOST, f"within {AT_MOST:g} x of {BEFORE}")
    return [Figure(NAME, plan.ground.stack, "s", then, {BEFORE: first}, [goal])]
