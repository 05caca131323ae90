"""How fast the picture is read and brought up to date, with few messages in the database and with many."""

from __future__ import annotations

import math
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import urllib3

from app.access.accounts import create_account
from app.access.roles import Role
from app.bench.day_made import Plants, prepare, write_topology
from app.bench.days_copied import Copier
from app.bench.ground import free_port, postgres_database, sqlite_database
from app.bench.installation import Ground
from app.bench.lag import Lag, measure_lag
from app.bench.lot_graph import trace_links
from app.bench.picture_calls import Asked, calls
from app.bench.picture_known import look_up
from app.bench.plant_names import ORDERS_A_DAY, messages_a_day
from app.clock import utc_now
from app.demo.run import Show
from app.reconcile.compare import Balance
from app.reconcile.effects import ledger_at
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.reconcile.snapshots import save_snapshot
from app.stack.programs import PROJECT
from app.store.migrate import upgrade
from app.store.session import Store
from config.settings import inherited_environment
from config.topology import Topology

ENTERED = "messages entered into the projections"
LAG = "projection lag under load"
CALLS = 100
START_SECONDS = 60.0
LINKS = 100_000
TRACE_GOAL_SECONDS = 1.0
FLAT = 1.5
"""A figure is flat where it is at most this many times what it was with few messages, or a few milliseconds more."""
FLAT_SECONDS = 0.005
ANSWER_SECONDS = 120.0
LOAD_SECONDS = 20.0
LAG_GOAL_SECONDS = 5.0
LOAD_PER_SECOND = 50


@dataclass(frozen=True)
class VisibilityPlan:
    """``few`` and ``many`` messages are made up to whole days of ``orders``."""

    ground: Ground
    few: int
    many: int
    links: int = LINKS
    calls: int = CALLS
    orders: int = ORDERS_A_DAY
    load_seconds: float = LOAD_SECONDS


@dataclass(frozen=True)
class Figure:
    """One measured figure; ``few`` is the same with few messages in the database, where that was measured too."""

    name: str
    figure: float
    unit: str
    few: float | None = None
    goal: str | None = None
    met: bool | None = None

    def wire(self, stack: str) -> dict[str, Any]:
        ratio = None if not self.few else round(self.figure / self.few, 2)
        yardstick = None if self.few is None else f"with few messages: {self.few:.4g} {self.unit}"
        return {
            "name": f"visibility {self.name}",
            "stack": stack,
            "figure": float(f"{self.figure:.4g}"),
            "unit": self.unit,
            "yardstick": yardstick,
            "ratio": ratio,
            "goal": self.goal,
            "met": self.met,
        }


def run_visibility(plan: VisibilityPlan, show: Show) -> list[Figure]:
    """Fill, bring up to date, read; first with ``few`` messages and then with ``many``. Raises GroundMissing."""
    home = Path(tempfile.mkdtemp(prefix="lineside-bench-"))
    try:
        with ExitStack() as ending:
            database = ending.enter_context(
                sqlite_database(home)
                if plan.ground.stack == "sqlite+valkey"
                else postgres_database(plan.ground.database_url)
            )
            store = Store(database.url)
            ending.callback(store.dispose)
            upgrade(store)
            return _Filled(plan, home, store, show).figures()
    finally:
        shutil.rmtree(home, ignore_errors=True)


class _Filled:
    """One database, that is filled further and further. The first day is made by the product; the others are its
    copies, but for a part of a day by which it is measured how fast days are entered."""

    def __init__(self, plan: VisibilityPlan, home: Path, store: Store, show: Show) -> None:
        self.plan, self.home, self.store, self.show = plan, home, store, show
        self.topology = write_topology(home / "topology.yaml")
        prepare(store, self.topology)
        self.plants = Plants(store, self.topology)
        self.days: list[int] = [0]
        self.next_day = 1

    def figures(self) -> list[Figure]:
        orders = self.plan.orders
        with self.show.progress("A day goes through the product's own steps") as advance:
            self.plants.post_day(0, orders, advance)
            self.plants.enter()
            self.plants.end_day(0, orders)
        reconciled(self.store, self.topology)
        copier = Copier(self.store, 0)
        few = self._measure(copier, self.plan.few)
        many = self._measure(copier, self.plan.many)
        copier.close()
        return [*_flat(few, many), *_of_one_size(self.store, self.topology, self.plan.links, self.show)]

    def _measure(self, copier: Copier, messages: int) -> dict[str, float]:
        self._copy(copier, messages)
        found = {ENTERED: self._entered()}
        lag = self._lag()
        found |= {f"{LAG}, p50": lag.p50, f"{LAG}, p95": lag.p95}
        with served(self.home, self.store.url, self.store) as ask, self.show.progress("Reading") as advance:
            paths = calls(look_up(self.store, self.days, self.plan.orders), Random(messages))
            for number, (name, path) in enumerate(paths.items()):
                found[name] = _p95(ask, path, self.plan.calls)
                advance(number / len(paths))
        return found

    def _copy(self, copier: Copier, messages: int) -> None:
        wanted = -(-messages // messages_a_day(self.plan.orders))
        with self.show.progress(f"Storing messages up to {messages:,}") as advance:
            while len(self.days) < wanted:
                copier.copy(self._new_day())
                self.days.append(self.next_day - 1)
                advance(len(self.days) / wanted)
        copier.look_at()

    def _new_day(self) -> int:
        self.next_day += 1
        return self.next_day - 1

    def _entered(self) -> float:
        """So many a second of a quarter of a day, which the product posts first."""
        quarter = max(1, messages_a_day(self.plan.orders) // 4)
        with self.show.progress("Posting what is to be entered") as advance:
            posted = self.plants.post_day(self._new_day(), self.plan.orders, advance, quarter)
        began = time.monotonic()
        self.plants.enter()
        return posted / (time.monotonic() - began)

    def _lag(self) -> Lag:
        with self.show.progress(f"Posting {LOAD_PER_SECOND} messages a second beside the projections"):
            return measure_lag(self.plants, self._new_day(), self.plan.orders, LOAD_PER_SECOND, self.plan.load_seconds)


@contextmanager
def served(home: Path, url: str, store: Store) -> Iterator[Callable[[str], None]]:
    """The product's own web process over this database; what is yielded asks for a path, and raises where it fails."""
    port, password = free_port(), secrets.token_hex(16)
    with store.writing() as session:
        create_account(session, f"bench-{port}", password, Role.VIEWER, utc_now())
    settings = {"LINESIDE_HOME": str(home), "LINESIDE_DATABASE_URL": url, "LINESIDE_PORT": str(port)}
    settings["LINESIDE_CONFIG"] = str(home / "topology.yaml")
    environment = inherited_environment({"PYTHONPATH": str(PROJECT), **settings})
    with (home / "web.log").open("ab") as log:
        web = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "web"], env=environment, stdout=log, stderr=log, cwd=os.sep
        )
    http = urllib3.PoolManager(headers=urllib3.make_headers(basic_auth=f"bench-{port}:{password}"), retries=False)

    def ask(path: str) -> None:
        answer = http.request("GET", f"http://127.0.0.1:{port}{path}", timeout=ANSWER_SECONDS)
        if answer.status not in (200, 404):
            raise RuntimeError(f"{path} is answered {answer.status}: {answer.data[:300]!r}")

    try:
        _await(ask, web, home)
        yield ask
    finally:
        web.terminate()
        web.wait(30)


def _await(ask: Callable[[str], None], web: subprocess.Popen[bytes], home: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask("/v1/inventory?limit=1")
        except urllib3.exceptions.HTTPError:
            if web.poll() is not None or time.monotonic() > until:
                raise RuntimeError(
                    f"The web process does not answer: {(home / 'web.log').read_text()[-2_000:]}"
                ) from None
            time.sleep(0.1)


def _p95(ask: Callable[[str], None], path: Asked, calls: int) -> float:
    ask(path())
    seconds = []
    for _ in range(calls):
        there = path()
        began = time.perf_counter()
        ask(there)
        seconds.append(time.perf_counter() - began)
    return sorted(seconds)[math.ceil(0.95 * calls) - 1]


def _flat(few: Mapping[str, float], many: Mapping[str, float]) -> list[Figure]:
    return [_one_flat(name, few[name], figure) for name, figure in many.items()]


def _one_flat(name: str, few: float, many: float) -> Figure:
    if name == ENTERED:
        return Figure(name, many, "messages/s", few, f"at least 1/{FLAT} of few", many * FLAT >= few)
    if name.startswith(LAG):
        return _one_lag(name, few, many)
    goal = f"at most {FLAT} x few, or {FLAT_SECONDS * 1000:.0f} ms more"
    return Figure(f"p95 of {name}", many, "s", few, goal, many <= max(few * FLAT, few + FLAT_SECONDS))


def _one_lag(name: str, few: float, many: float) -> Figure:
    return Figure(name, many, "s", few, f"at most {LAG_GOAL_SECONDS:g} s", many <= LAG_GOAL_SECONDS)


def _of_one_size(store: Store, topology: Topology, links: int, show: Show) -> list[Figure]:
    with show.progress("Reconciling every balance"):
        balances, seconds, unexplained = reconciled(store, topology)
    with show.progress(f"Tracing {links:,} links"):
        found, took = trace_links(store, links)
    return [
        Figure(
            f"reconciliation of {balances:,} balances",
            seconds,
            "s",
            goal="3 are wrong, and are found",
            met=unexplained == 3,
        ),
        Figure(
            f"trace of {found:,} links",
            took,
            "s of CPU" if store.is_sqlite else "s",
            goal=f"under {TRACE_GOAL_SECONDS:g} s",
            met=took < TRACE_GOAL_SECONDS and found >= links,
        ),
    ]


def reconciled(store: Store, topology: Topology) -> tuple[int, float, int]:
    """A snapshot that is as the ledger is but for three balances: those, and no others, are unexplained. Returns how
    many balances were compared, in how many seconds, and how many were unexplained."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    with store.reading() as session:
        for place, amount in ledger_at(session, utc_now()).items():
            sums[place.plant, place.item, place.storage, place.uom] += amount
    rows = [Balance(plant, item, storage, "", value, uom) for (plant, item, storage, uom), value in sums.items()]
    wrong = [replace(row, value=row.value + 1_007) for row in rows[:3]]
    with store.writing() as session:
        snapshot = save_snapshot(session, "wms", utc_now(), "the bench", "bench", [*wrong, *rows[3:]])
    began = time.monotonic()
    report = reconcile(store, topology, snapshot, Level.STORAGE, "bench", utc_now())
    return report.compared, time.monotonic() - began, report.unexplained
