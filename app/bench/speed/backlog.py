"""A backlog that nobody worked on, drained: as fast at its end as at its start, and what the relay costs meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bench.installation import Ground
from app.bench.speed import inputs
from app.bench.speed.end_to_end import BATCH_CLIENTS, BATCH_SIZE, know_items
from app.bench.speed.figures import Figure, Runs, at_least, at_most
from app.bench.speed.installation import PLANTS, WEB, WORKERS, Measured, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.processes import cpu_seconds, with_descendants
from app.bench.speed.programs import PracticeErp, load, practice_erp
from app.demo.run import Show

END_NAME, RELAY_NAME = "a backlog drained, its last fifth", "the relay's part of the processors' time meanwhile"
START = "its first fifth"
PARTS = 5
NO_SLOWER, RELAY_MOST = 0.95, 0.03
DRAIN_SECONDS = 7_200.0
Advance = Callable[[float], None]


@dataclass(frozen=True)
class BacklogPlan:
    """``messages`` of all plants, all due when the workers start."""

    ground: Ground
    runs: int = 1
    messages: int = 500_000


@dataclass(frozen=True)
class Drained:
    """Messages a second by part of the backlog, from the first document on; and seconds on a processor by role."""

    rates: Sequence[float]
    spent: Mapping[str, float]

    @property
    def relay(self) -> float:
        """Its part of all."""
        return self.spent["relay"] / sum(self.spent.values())


def run_backlog(plan: BacklogPlan, home: Path, show: Show) -> list[Figure]:
    """In an installation of its own each time."""
    found: list[Drained] = []
    with show.progress("Draining a backlog") as advance, practice_erp(home) as erp:
        for turn in range(plan.runs):
            with measured(home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, erp.url), WEB) as here:
                know_items(here)
                batch = inputs.batch(PLANTS, BATCH_SIZE, here.key)
                load(here.home, LoadPlan(here.port, BATCH_CLIENTS, plan.messages // BATCH_SIZE, batch, 1))
                here.start(WORKERS)
                found.append(_drained(here, erp, plan.messages, _later(advance, turn, plan.runs)))
            erp.forget()
    return _figures(plan, found)


def _later(advance: Advance, turn: int, runs: int) -> Advance:
    """The stored backlog is a fifth of a turn."""
    return lambda share: advance((turn + 0.2 + 0.8 * share) / runs)


def _figures(plan: BacklogPlan, found: Sequence[Drained]) -> list[Figure]:
    stack = plan.ground.stack
    first, last = Runs([one.rates[0] for one in found]), Runs([one.rates[-1] for one in found], _by_part(found))
    relay = Runs([one.relay * 100 for one in found], [_each(one, plan.messages) for one in found])
    flat = at_least(last.median / first.median, NO_SLOWER, f"no slower at the end: at least {NO_SLOWER:g} x {START}")
    small = at_most(relay.median, RELAY_MOST * 100, f"under {RELAY_MOST:.0%}")
    return [
        Figure(END_NAME, stack, "messages/s", last, {START: first}, [flat]),
        Figure(RELAY_NAME, stack, "%", relay, {}, [small]),
    ]


def _each(found: Drained, messages: int) -> dict[str, dict[str, float]]:
    """Milliseconds on a processor for each message, by role."""
    return {"cpu_ms_each": {role: round(seconds / messages * 1_000, 3) for role, seconds in found.spent.items()}}


def _by_part(found: Sequence[Drained]) -> list[dict[str, list[float]]]:
    return [{"by_part": [round(rate, 1) for rate in one.rates]} for one in found]


def _drained(here: Measured, erp: PracticeErp, messages: int, advance: Advance) -> Drained:
    at, done = erp.await_documents(1, DRAIN_SECONDS), 1
    before, rates = _cpu(here), []
    for part in range(1, PARTS + 1):
        erp.await_documents(messages * part // PARTS, DRAIN_SECONDS)
        figures = erp.figures()
        rates.append((figures["documents"] - done) / (figures["last_at"] - at))
        done, at = figures["documents"], figures["last_at"]
        advance(part / PARTS)
    after = _cpu(here)
    spent = {role: after[role] - before[role] for role in before}
    return Drained(rates, spent)


def _cpu(here: Measured) -> dict[str, float]:
    """Seconds of each role's processes so far."""
    return {role: sum(map(cpu_seconds, with_descendants(pid))) for role, pid in here.supervisor.pids().items()}
