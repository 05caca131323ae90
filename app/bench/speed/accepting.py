"""Messages over HTTP, accept only: one a request from 64 keep-alive clients, and batches of 100."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.bench.ground import free_port
from app.bench.installation import Ground
from app.bench.speed import inputs
from app.bench.speed.brokers import yardstick_broker
from app.bench.speed.connections import connections_by_process, is_shared
from app.bench.speed.figures import Figure, Goal, Runs, at_least, at_most
from app.bench.speed.installation import PLANTS, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.programs import await_condition, end_load, load, program, start_load
from app.demo.run import Show
from app.stack.programs import KEEP_ALIVE_SECONDS
from app.stack.running import answers

CLIENTS = 64
BATCH_CLIENTS = 8
BATCH_SIZE = 100
NOTHING, INSERT_AND_PUBLISH = "Flask with no work", "Flask, a row and a task a request"
THREE_TIMES, A_THIRD, SINGLE_P99_SECONDS, BATCHED = 3.0, 0.35, 0.1, 10_000


@dataclass(frozen=True)
class AcceptPlan:
    """``requests`` of single messages a run, and ten times as many messages in batches."""

    ground: Ground
    runs: int = 3
    requests: int = 6_000


@dataclass(frozen=True)
class Taken:
    """One run: messages a second, and how its connections were split between processes."""

    rate: float
    p50: float
    p99: float
    split: list[int] | None

    def wire(self) -> dict[str, Any]:
        return {"p50": round(self.p50, 4), "p99": round(self.p99, 4), "connections": self.split}


def run_accepting(plan: AcceptPlan, home: Path, show: Show) -> list[Figure]:
    """Each by turns with its yardsticks, anew for each run: a start decides how connections are split."""
    singles: dict[str, list[Taken]] = {"lineside": [], INSERT_AND_PUBLISH: [], NOTHING: []}
    batches: list[Taken] = []
    with show.progress("Accepting single messages and batches") as advance:
        for turn in range(plan.runs):
            singles[NOTHING].append(_yardstick("nothing", plan, home / f"nothing-{turn}", {}))
            advance((turn + 0.2) / plan.runs)
            singles[INSERT_AND_PUBLISH].append(_insert_and_publish(plan, home / f"insert-{turn}"))
            advance((turn + 0.5) / plan.runs)
            one, many = _product(plan, home / f"lineside-{turn}")
            singles["lineside"].append(one)
            batches.append(many)
            advance((turn + 1) / plan.runs)
    return [_single(plan, singles), _batched(plan, batches)]


def _single(plan: AcceptPlan, taken: Mapping[str, list[Taken]]) -> Figure:
    """In the same mode: yardsticks of runs in which one process held nearly all connections are told and not used."""
    runs = {name: _shared(of_one) for name, of_one in taken.items()}
    mine, insert, nothing = runs["lineside"], runs[INSERT_AND_PUBLISH], runs[NOTHING]
    p99 = max(one.p99 for one in taken["lineside"])
    goals = [
        at_least(mine.median / insert.median, THREE_TIMES, f"at least {THREE_TIMES:g} x a row and a task a request"),
        at_least(mine.median / nothing.median, A_THIRD, f"at least {A_THIRD:.0%} of Flask with no work"),
        at_most(
            p99,
            SINGLE_P99_SECONDS,
            f"p99 under {SINGLE_P99_SECONDS * 1000:.0f} ms (the slowest run: {p99 * 1000:.0f} ms)",
        ),
    ]
    yardsticks = {INSERT_AND_PUBLISH: insert, NOTHING: nothing}
    return Figure("accept, one a request", plan.ground.stack, "messages/s", mine, yardsticks, goals)


def _shared(taken: list[Taken]) -> Runs:
    fair = [one for one in taken if is_shared(one.split)] or taken
    return Runs([one.rate for one in fair], [one.wire() for one in taken])


def _batched(plan: AcceptPlan, taken: list[Taken]) -> Figure:
    runs = Runs([one.rate for one in taken], [one.wire() for one in taken])
    goal = Goal(f"{BATCHED:,} messages/s", runs.median >= BATCHED)
    return Figure(f"accept, batches of {BATCH_SIZE}", plan.ground.stack, "messages/s", runs, {}, [goal])


def _insert_and_publish(plan: AcceptPlan, home: Path) -> Taken:
    home.mkdir(parents=True)
    with plan.ground.database(home) as database, yardstick_broker(plan.ground, home) as broker:
        environment = {"YARDSTICK_DATABASE_URL": database.url, "YARDSTICK_BROKER_URL": broker}
        return _yardstick("insert_and_publish", plan, home, environment)


def _yardstick(name: str, plan: AcceptPlan, home: Path, environment: Mapping[str, str]) -> Taken:
    home.mkdir(parents=True, exist_ok=True)
    port, log = free_port(), home / "yardstick.log"
    arguments = ["-m", "gunicorn", f"app.bench.speed.yardstick_web:{name}()", "--worker-class", "gthread"]
    arguments += ["--workers", "2", "--threads", "8", "--bind", f"127.0.0.1:{port}", "--log-level", "warning"]
    arguments += ["--keep-alive", str(KEEP_ALIVE_SECONDS)]
    with program(arguments, log, environment) as server:
        await_condition(lambda: answers(f"http://127.0.0.1:{port}/"), f"port {port}", log)
        return _send(home, LoadPlan(port, CLIENTS, plan.requests, inputs.one(PLANTS[0], "none"), 1), server.pid)


def _product(plan: AcceptPlan, home: Path) -> tuple[Taken, Taken]:
    with measured(home, plan.ground, dict.fromkeys(PLANTS, "http://127.0.0.1:9"), ("web",)) as here:
        web = here.supervisor.pids()["web"]
        single = LoadPlan(here.port, CLIENTS, plan.requests, inputs.one(PLANTS[0], here.key), 1)
        one = _send(home, single, web)
        request = inputs.batch(PLANTS, BATCH_SIZE, here.key)
        told = load(home, LoadPlan(here.port, BATCH_CLIENTS, plan.requests * 10 // BATCH_SIZE, request, 1_000_000))
    rate = plan.requests * 10 / told["seconds"]
    return one, Taken(rate, told["p50"], told["p99"], None)


def _send(home: Path, plan: LoadPlan, server: int) -> Taken:
    load_process = start_load(home, plan)
    time.sleep(1.0)  # by then all are connected, which is what is looked at
    split = connections_by_process(plan.port, server)
    told = end_load(home, load_process)
    return Taken(plan.requests / told["seconds"], told["p50"], told["p99"], split)
