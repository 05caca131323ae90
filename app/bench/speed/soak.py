"""Memory while messages keep coming: an ingress worker's, the whole stack's, and whether it stays as it is."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bench.installation import Ground
from app.bench.speed import inputs
from app.bench.speed.connections import children
from app.bench.speed.end_to_end import warm_up
from app.bench.speed.figures import Figure, Runs, at_most
from app.bench.speed.installation import PLANTS, Measured, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.processes import peak_bytes, share_bytes, with_descendants
from app.bench.speed.programs import PracticeErp, end_load, practice_erp, start_load
from app.demo.run import Show
from app.stack.procfile import PRODUCT

WORKER_NAME, STACK_NAME, FLAT_NAME = (
    "memory of an ingress worker, the most",
    "memory of the whole stack, the most",
    "memory of the whole stack in the last fifth of a soak",
)
EARLY = "in its second fifth"
WORKER_MB, STACK_MB, FLAT = 120.0, 600.0, 1.1
MB = 1e6
RATE, CLIENTS, PARTS = 15.0, 8, 5
LOOK_SECONDS, SETTLE_SECONDS = 2.0, 300.0


@dataclass(frozen=True)
class SoakPlan:
    """RATE messages a second, of all plants in equal parts, for so many ``seconds``."""

    ground: Ground
    runs: int = 1
    seconds: int = 1_200


@dataclass(frozen=True)
class Held:
    """Bytes: the most that one ingress worker ever held, and the shares of all processes added up, over time."""

    worker: int
    stack: Sequence[int]

    def part(self, number: int) -> float:
        """The median of the stack's in one of PARTS, counted from 0."""
        size = len(self.stack) / PARTS
        return statistics.median(self.stack[int(number * size) : max(int((number + 1) * size), int(number * size) + 1)])


def run_soak(plan: SoakPlan, home: Path, show: Show) -> list[Figure]:
    """The whole default stack in an installation of its own each time: Tryton, the practice ERP and the load are not of
    it, and neither are the servers of a database and a broker of one's own."""
    found: list[Held] = []
    with show.progress("Sending for a long time") as advance, practice_erp(home) as erp:
        for turn in range(plan.runs):
            with measured(home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, erp.url), PRODUCT) as here:
                warm_up(here, erp)
                found.append(_soak(plan, here, erp))
            advance((turn + 1) / plan.runs)
    return _figures(plan, found)


def _figures(plan: SoakPlan, found: Sequence[Held]) -> list[Figure]:
    stack = plan.ground.stack
    worker, whole = Runs([one.worker / MB for one in found]), Runs([max(one.stack) / MB for one in found])
    last, early = Runs([one.part(PARTS - 1) / MB for one in found]), Runs([one.part(1) / MB for one in found])
    flat = at_most(last.median / early.median, FLAT, f"flat: at most {FLAT:g} x that {EARLY}")
    return [
        Figure(WORKER_NAME, stack, "MB", worker, {}, [at_most(worker.median, WORKER_MB, f"under {WORKER_MB:g} MB")]),
        Figure(STACK_NAME, stack, "MB", whole, {}, [at_most(whole.median, STACK_MB, f"under {STACK_MB:g} MB")]),
        Figure(FLAT_NAME, stack, "MB", last, {EARLY: early}, [flat]),
    ]


def _soak(plan: SoakPlan, here: Measured, erp: PracticeErp) -> Held:
    erp.forget()
    each = max(1, round(RATE * plan.seconds / len(PLANTS)))
    sending = [
        start_load(
            here.home,
            LoadPlan(here.port, CLIENTS, each, inputs.one(plant, here.key), place * 10**8, RATE / len(PLANTS)),
        )
        for place, plant in enumerate(PLANTS, 1)
    ]
    stack = []
    while any(process.poll() is None for process in sending):
        stack.append(_stack_bytes(here))
        time.sleep(LOOK_SECONDS)
    for process in sending:
        end_load(here.home, process)
    stack.append(_stack_bytes(here))
    erp.await_documents(each * len(PLANTS), SETTLE_SECONDS)
    return Held(max(map(peak_bytes, children(here.supervisor.pids()["web"]))), stack)


def _stack_bytes(here: Measured) -> int:
    return sum(share_bytes(pid) for leader in here.supervisor.pids().values() for pid in with_descendants(leader))
