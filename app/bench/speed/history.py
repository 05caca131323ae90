"""With a million messages stored beside a hundred and ten thousand: whether taking and posting stays as fast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from app.bench.day_made import Plants, prepare, write_topology
from app.bench.days_copied import Copier
from app.bench.installation import Ground
from app.bench.plant_names import ORDERS_A_DAY, messages_a_day
from app.bench.speed import inputs
from app.bench.speed.accepting import BATCH_CLIENTS, BATCH_SIZE, CLIENTS
from app.bench.speed.end_to_end import drained, know_items, passed_at
from app.bench.speed.figures import Figure, Runs, at_least, at_most, share_of
from app.bench.speed.installation import PLANTS, WEB, WORKERS, Measured, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.programs import PracticeErp, load, practice_erp
from app.demo.run import Show

FLAT = 1.1
SINGLES, BATCHES, POSTED, P50, P99 = (
    "accept, one a request, with many messages stored",
    "accept, batches of 100, with many messages stored",
    "end to end, with many messages stored",
    "accept to posted at 10 messages/s with many messages stored, p50",
    "accept to posted at 10 messages/s with many messages stored, p99",
)
RATES, TIMES = (SINGLES, BATCHES, POSTED), (P50, P99)
NAMES = (*RATES, *TIMES)
FEW, MORE, MANY = "with few", "with a tenth of many", "with many"
RATE = 10.0
SETTLE_SECONDS = 600.0
MOST, FEWER, TENTH = 1_000_000, 100, 10


@dataclass(frozen=True)
class HistoryPlan:
    """``many`` messages stored beforehand, a tenth and a hundredth of them; ``messages`` are sent for each figure."""

    ground: Ground
    runs: int = 1
    many: int = MOST
    messages: int = 6_000
    seconds: int = 20


def run_history(plan: HistoryPlan, home: Path, show: Show) -> list[Figure]:
    """By turns, in an installation of its own each time; the web process runs while the database is filled."""
    sizes = {FEW: max(1, plan.many // FEWER), MORE: max(1, plan.many // TENTH), MANY: plan.many}
    found: dict[str, dict[str, list[float]]] = {name: {size: [] for size in sizes} for name in NAMES}
    with practice_erp(home) as erp:
        for turn in range(plan.runs):
            for size, messages in sizes.items():
                with measured(
                    home / f"lineside-{turn}-{messages}", plan.ground, dict.fromkeys(PLANTS, erp.url), WEB
                ) as here:
                    _fill(here, messages, show)
                    for name, figure in _measured(plan, here, erp, show).items():
                        found[name][size].append(figure)
    return [
        _figure(plan.ground.stack, name, {size: _runs(sizes[size], runs) for size, runs in by_size.items()})
        for name, by_size in found.items()
    ]


def _runs(stored: int, figures: list[float]) -> Runs:
    return Runs(figures, [{"stored": stored}] * len(figures))


def _figure(stack: str, name: str, by_size: dict[str, Runs]) -> Figure:
    many, few = by_size.pop(MANY), by_size[FEW]
    goal = f"within {FLAT:g} x of {FEW}"
    if name in RATES:
        return Figure(name, stack, "messages/s", many, by_size, [at_least(many.median * FLAT, few.median, goal)])
    return Figure(name, stack, "s", many, by_size, [at_most(many.median, few.median * FLAT, goal)])


def _fill(here: Measured, messages: int, show: Show) -> None:
    """One day by the product's own steps, and its copies."""
    wanted = max(1, round(messages / messages_a_day(ORDERS_A_DAY)))
    topology = write_topology(here.home / "filling.yaml")
    prepare(here.store, topology)
    plants = Plants(here.store, topology)
    with show.progress(f"Storing {messages:,} messages") as advance:
        orders = max(10, min(ORDERS_A_DAY, ORDERS_A_DAY * messages // messages_a_day(ORDERS_A_DAY)))
        plants.post_day(0, orders, lambda share: advance(share / wanted))
        plants.enter()
        plants.end_day(0, orders)
        copier = Copier(here.store, 0)
        for day in range(1, wanted):
            copier.copy(day)
            advance((day + 1) / wanted)
        copier.look_at()
        copier.close()


def _measured(plan: HistoryPlan, here: Measured, erp: PracticeErp, show: Show) -> dict[str, float]:
    """What is accepted while nobody works is posted before the rest is measured, which warms every process up."""
    with show.progress("Taking and posting beside them") as advance:
        single = LoadPlan(here.port, CLIENTS, plan.messages, inputs.one(PLANTS[0], here.key), 3 * 10**8)
        batch = inputs.batch(PLANTS, BATCH_SIZE, here.key)
        many = LoadPlan(here.port, BATCH_CLIENTS, plan.messages // BATCH_SIZE, batch, 4 * 10**8)
        found = {SINGLES: plan.messages / load(here.home, single)["seconds"]}
        found[BATCHES] = many.requests * BATCH_SIZE / load(here.home, many)["seconds"]
        advance(0.3)
        erp.forget()
        know_items(here)
        here.start(WORKERS)
        erp.await_documents(plan.messages + many.requests * BATCH_SIZE, SETTLE_SECONDS)
        advance(0.6)
        found[POSTED] = drained(here, erp, plan.messages)
        took = passed_at(here, erp, RATE, plan.seconds, 2 * 10**8, SETTLE_SECONDS).took
        found[P50], found[P99] = share_of(took, 0.5), share_of(took, 0.99)
    return found
