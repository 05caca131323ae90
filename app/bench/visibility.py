"""How fast the picture is read and brought up to date, with few messages in the database and with many."""

from __future__ import annotations

import os
import secrets
import shutil
import statistics
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
from app.bench.ground import free_port, postgres_database, sqlite_database
from app.bench.history import ITEMS, MESSAGES_AN_ORDER, PLANTS, fill, item, lot, order_number
from app.bench.installation import Ground
from app.clock import utc_now
from app.demo.run import Show
from app.projections.lot_links import IN, OUT, Link, LinkKey, add_links
from app.projections.lot_trace import Direction, trace
from app.projections.projector import project
from app.reconcile.compare import Balance
from app.reconcile.effects import ledger_at
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.reconcile.snapshots import save_snapshot
from app.stack.programs import PROJECT
from app.store.migrate import upgrade
from app.store.session import Store
from config.settings import inherited_environment
from config.topology_file import load_topology

ENTERED = "messages entered into the projections"
CALLS = 100
START_SECONDS = 60.0
LINKS = 100_000
TRACE_GOAL_SECONDS = 1.0
FLAT = 1.5
"""A figure is flat where it is at most this many times what it was with few messages, or a few milliseconds more."""
FLAT_SECONDS = 0.005
ANSWER_SECONDS = 120.0


@dataclass(frozen=True)
class VisibilityPlan:
    ground: Ground
    few: int
    many: int
    links: int = LINKS
    calls: int = CALLS


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
            few = _measure(store, home, database.url, (0, plan.few), plan.calls, show)
            many = _measure(store, home, database.url, (plan.few, plan.many), plan.calls, show)
            return [*_flat(few, many), *_of_one_size(store, plan.links, show)]
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _measure(store: Store, home: Path, url: str, span: tuple[int, int], calls: int, show: Show) -> dict[str, float]:
    with show.progress(f"Storing messages up to {span[1]:,}") as advance:
        fill(store, *span, advance)
    with show.progress("Entering them into the projections"):
        began = time.monotonic()
        while project(store, utc_now, 5.0).goes_on:
            pass
        rate = (span[1] - span[0]) / (time.monotonic() - began)
    found = {ENTERED: rate}
    with served(home, url, store) as ask, show.progress("Reading") as advance:
        paths = _paths(span[1], Random(span[1]))
        for number, (name, path) in enumerate(paths.items()):
            found[name] = _p95(ask, path, calls)
            advance(number / len(paths))
    return found


Asked = Callable[[], str]


def _paths(messages: int, random: Random) -> Mapping[str, Asked]:
    """Every list and detail of the picture, asked for something else each time."""
    orders = messages // MESSAGES_AN_ORDER

    def plant() -> str:
        return random.choice(PLANTS)

    def order() -> int:
        return random.randrange(orders)

    def where() -> str:
        return f"plant={plant()}&item={item(random.randrange(ITEMS))}"

    def of_order(end: str = "") -> str:
        number = order()
        return f"/v1/production-orders/{PLANTS[number % len(PLANTS)]}/{order_number(number)}{end}"

    return {
        "messages, newest": lambda: "/v1/messages?limit=50",
        "messages of a plant": lambda: f"/v1/messages?plant={plant()}&state=posted&limit=50",
        "message": lambda: f"/v1/messages/{1 + random.randrange(messages)}",
        "inventory of a plant": lambda: f"/v1/inventory?plant={plant()}&limit=50",
        "inventory of an item": lambda: f"/v1/inventory?item={item(random.randrange(ITEMS))}",
        "stock of an item": lambda: f"/v1/inventory/stock?{where()}&limit=50",
        "stock of a lot": lambda: f"/v1/inventory/stock?lot={lot(random.randrange(2 * orders))}",
        "movements, newest": lambda: "/v1/inventory/movements?limit=50",
        "movements of an item": lambda: f"/v1/inventory/movements?{where()}&limit=50",
        "movements of an order": lambda: f"/v1/inventory/movements?plant={plant()}&order_id={order_number(order())}",
        "movements of a message": lambda: f"/v1/inventory/movements?message_id={1 + random.randrange(messages)}",
        "orders of a plant": lambda: f"/v1/production-orders?plant={plant()}&limit=50",
        "orders begun": lambda: f"/v1/production-orders?plant={plant()}&status=started&limit=50",
        "orders late": lambda: "/v1/production-orders?late=true&limit=50",
        "order": of_order,
        "reports of an order": lambda: of_order("/reports"),
        "trace of a lot up": lambda: f"/v1/lots/{lot(2 * order() + 1)}/trace",
        "trace of a lot down": lambda: f"/v1/lots/{lot(2 * order())}/trace?direction=down",
    }


@contextmanager
def served(home: Path, url: str, store: Store) -> Iterator[Callable[[str], None]]:
    """The product's own web process over this database; what is yielded asks for a path, and raises where it fails."""
    port, password = free_port(), secrets.token_hex(16)
    with store.writing() as session:
        create_account(session, f"bench-{port}", password, Role.VIEWER, utc_now())
    settings = {"LINESIDE_HOME": str(home), "LINESIDE_DATABASE_URL": url, "LINESIDE_PORT": str(port)}
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
    return statistics.quantiles(seconds, n=20)[-1]


def _flat(few: Mapping[str, float], many: Mapping[str, float]) -> list[Figure]:
    return [_one_flat(name, few[name], figure) for name, figure in many.items()]


def _one_flat(name: str, few: float, many: float) -> Figure:
    if name == ENTERED:
        return Figure(name, many, "messages/s", few, f"at least 1/{FLAT} of few", many * FLAT >= few)
    goal = f"at most {FLAT} x few, or {FLAT_SECONDS * 1000:.0f} ms more"
    return Figure(f"p95 of {name}", many, "s", few, goal, many <= max(few * FLAT, few + FLAT_SECONDS))


def _of_one_size(store: Store, links: int, show: Show) -> list[Figure]:
    with show.progress("Reconciling every balance"):
        compared, seconds, unexplained = _reconcile(store)
    with show.progress(f"Tracing {links:,} links"):
        found, took = _trace(store, links)
    name = f"reconciliation of {compared:,} balances"
    return [
        Figure(name, seconds, "s", goal="3 are wrong, and are found", met=unexplained == 3),
        Figure(
            f"trace of {found:,} links",
            took,
            "s",
            goal=f"under {TRACE_GOAL_SECONDS:g} s",
            met=took < TRACE_GOAL_SECONDS and found >= links,
        ),
    ]


def _reconcile(store: Store) -> tuple[int, float, int]:
    """A snapshot that is as the ledger is but for three balances: those, and no others, are unexplained."""
    sums: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
    with store.reading() as session:
        for place, amount in ledger_at(session, utc_now()).items():
            sums[place.plant, place.item, place.storage, place.uom] += amount
    rows = [Balance(plant, item_, storage, "", amount, uom) for (plant, item_, storage, uom), amount in sums.items()]
    wrong = [replace(row, value=row.value + 7) for row in rows[:3]]
    with store.writing() as session:
        snapshot = save_snapshot(session, "mes", utc_now(), "the bench", "bench", [*wrong, *rows[3:]])
    began = time.monotonic()
    report = reconcile(store, load_topology(None), snapshot, Level.STORAGE, "bench", utc_now())
    return report.compared, time.monotonic() - began, report.unexplained


def _trace(store: Store, links: int) -> tuple[int, float]:
    """One product whose parts' parts fan out tenfold at each level."""
    with store.writing() as session:
        add_links(session, list(_graph(links)))
    with store.reading() as session:
        began = time.monotonic()
        found = trace(session, "GRAPH", "G0", Direction.UP, links)
    return len(found.links), time.monotonic() - began


def _graph(links: int) -> Iterator[Link]:
    """Lot n is made of lots 10 n + 1 to 10 n + 10: one link out of each transformation, ten into it."""
    for number in range(links // 11 + 1):
        step = f"G{number}"
        yield Link(LinkKey("P100", step, OUT, "GRAPH", f"G{number}", "EA"), Decimal(1), step)
        for part in range(10 * number + 1, 10 * number + 11):
            yield Link(LinkKey("P100", step, IN, "GRAPH", f"G{part}", "EA"), Decimal(1), step)
