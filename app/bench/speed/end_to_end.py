"""From accept to posted: how many messages a second reach the practice ERP, one call each, and how long each takes."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from app.bench.installation import Ground
from app.bench.speed import inputs
from app.bench.speed.brokers import yardstick_broker
from app.bench.speed.figures import Figure, Runs, at_least, at_most, share_of
from app.bench.speed.installation import PLANTS, Measured, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.programs import PracticeErp, SpeedFailed, end_load, load, practice_erp, program, start_load
from app.clock import utc_now
from app.demo.run import Show
from app.store.messages_tables import Message
from app.store.reference_tables import Item

BATCH_CLIENTS, BATCH_SIZE = 4, 100
WARM_UP = 600
SETTLE_SECONDS = 600.0
CELERY, DRAMATIQ, DBOS = (
    "a chain of three Celery tasks",
    "a pipeline of three dramatiq actors",
    "a DBOS workflow of three steps",
)
CALLS = "nothing but the calls, in two processes"
SIX_TIMES, TWICE, TWENTY_TIMES, FORTY_TIMES = 6.0, 2.0, 20.0, 40.0
IN_BATCHES = "end to end, a target that takes batches"
RATE, P50_SECONDS, P99_SECONDS, LOADED_P99_SECONDS = 50.0, 0.015, 0.06, 0.3


@dataclass(frozen=True)
class EndToEndPlan:
    """``messages`` a run of the product; ``chains`` a run of each yardstick; ``seconds`` that latency is measured."""

    ground: Ground
    runs: int = 3
    messages: int = 9_000
    chains: int = 1_500
    seconds: int = 20


def run_end_to_end(plan: EndToEndPlan, home: Path, show: Show) -> list[Figure]:
    """By turns: the yardsticks, then the product in an installation of its own; then how long a message takes, at a
    steady rate and at half of what was reached."""
    rates: dict[str, list[float]] = {"lineside": [], CELERY: [], DRAMATIQ: [], CALLS: []}
    if plan.ground.stack != "sqlite+valkey":
        rates[DBOS] = []
    batched: list[float] = []
    latencies: list[tuple[float, float]] = []
    loaded: list[float] = []
    with show.progress("From accept to posted") as advance, practice_erp(home) as erp:
        for turn in range(plan.runs):
            rates[CELERY].append(_celery(plan, _made(home / f"celery-{turn}"), erp))
            advance((turn + 0.2) / plan.runs)
            rates[DRAMATIQ].append(_dramatiq(plan, _made(home / f"dramatiq-{turn}"), erp))
            rates[CALLS].append(_calls(plan, _made(home / f"calls-{turn}"), erp))
            if DBOS in rates:
                rates[DBOS].append(_dbos(plan, _made(home / f"dbos-{turn}"), erp))
            advance((turn + 0.4) / plan.runs)
            with measured(home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, erp.url)) as here:
                warm_up(here, erp)
                rates["lineside"].append(drained(here, erp, plan.messages))
                advance((turn + 0.7) / plan.runs)
                latencies.append(_latency(here, erp, RATE, plan.seconds, 10**8))
                half = rates["lineside"][-1] / 2
                loaded.append(_latency(here, erp, half, plan.seconds, 2 * 10**8)[1])
            advance((turn + 0.9) / plan.runs)
            erps = dict.fromkeys(PLANTS, erp.url)
            with measured(home / f"batches-{turn}", plan.ground, erps, in_batches=True) as here:
                warm_up(here, erp)
                batched.append(drained(here, erp, plan.messages))
            advance((turn + 1) / plan.runs)
    return _figures(plan, rates, Runs(batched), latencies, loaded)


def _figures(
    plan: EndToEndPlan,
    rates: dict[str, list[float]],
    batched: Runs,
    latencies: Sequence[tuple[float, float]],
    loaded: Sequence[float],
) -> list[Figure]:
    mine, stack = Runs(rates.pop("lineside")), plan.ground.stack
    yardsticks = {name: Runs(found) for name, found in rates.items()}
    whole = Figure("end to end, one call a message", stack, "messages/s", mine, yardsticks)
    goals = [
        at_least(whole.ratio(CELERY), SIX_TIMES, f"at least {SIX_TIMES:g} x {CELERY}"),
        at_least(whole.ratio(DRAMATIQ), TWICE, f"at least {TWICE:g} x {DRAMATIQ}"),
    ]
    p50, p99 = Runs([pair[0] for pair in latencies]), Runs([pair[1] for pair in latencies])
    half, steady = Runs(loaded), f"accept to posted at {RATE:g} messages/s"
    return [
        Figure(whole.name, stack, whole.unit, mine, yardsticks, goals),
        _in_batches(stack, batched, yardsticks),
        Figure(f"{steady}, p50", stack, "s", p50, {}, [at_most(p50.median, P50_SECONDS, "under 15 ms")]),
        Figure(f"{steady}, p99", stack, "s", p99, {}, [at_most(p99.median, P99_SECONDS, "under 60 ms")]),
        Figure(
            "accept to posted at half of capacity, p99",
            stack,
            "s",
            half,
            {},
            [at_most(half.median, LOADED_P99_SECONDS, "under 300 ms")],
        ),
    ]


def _in_batches(stack: str, batched: Runs, yardsticks: Mapping[str, Runs]) -> Figure:
    beside = {name: yardsticks[name] for name in (CELERY, DBOS) if name in yardsticks}
    figure = Figure(IN_BATCHES, stack, "messages/s", batched, beside)
    goals = [at_least(figure.ratio(CELERY), TWENTY_TIMES, f"at least {TWENTY_TIMES:g} x {CELERY}")]
    if DBOS in beside:
        goals.append(at_least(figure.ratio(DBOS), FORTY_TIMES, f"at least {FORTY_TIMES:g} x {DBOS}"))
    return replace(figure, goals=goals)


def _made(home: Path) -> Path:
    home.mkdir(parents=True)
    return home


def warm_up(here: Measured, erp: PracticeErp) -> None:
    """Items are known, and every process has done each thing once."""
    know_items(here)
    erp.forget()
    load(here.home, LoadPlan(here.port, BATCH_CLIENTS, WARM_UP // BATCH_SIZE, _batch(here), 10**9))
    erp.await_documents(WARM_UP, SETTLE_SECONDS)


def know_items(here: Measured) -> None:
    """So that nothing waits for one."""
    rows = [
        {"code": f"WHEEL-{place:03d}", "description": "Wheel", "base_uom": "EA", "units": {}, "system": "erp"}
        for place in range(inputs.ITEMS)
    ]
    with here.store.writing() as session:
        session.connection().execute(insert(Item), [row | {"updated_at": utc_now()} for row in rows])


def _batch(here: Measured) -> str:
    return inputs.batch(PLANTS, BATCH_SIZE, here.key)


def drained(here: Measured, erp: PracticeErp, messages: int) -> float:
    """Messages a second from the first one's sending to the last one's arrival, of as many whole batches as there are
    in ``messages``."""
    erp.forget()
    batches = messages // BATCH_SIZE
    messages = batches * BATCH_SIZE
    sending = start_load(here.home, LoadPlan(here.port, BATCH_CLIENTS, batches, _batch(here), 1))
    last_at = erp.await_documents(messages, SETTLE_SECONDS)
    told = end_load(here.home, sending)
    return float(messages / (last_at - told["began_at"]))


def _latency(here: Measured, erp: PracticeErp, rate: float, seconds: int, first: int) -> tuple[float, float]:
    """p50 and p99."""
    took = passed_at(here, erp, rate, max(seconds, math.ceil(100 / rate)), first, SETTLE_SECONDS).took
    return share_of(took, 0.5), share_of(took, 0.99)


@dataclass(frozen=True)
class Passed:
    """``rate``: messages a second from the first one's sending to the last one's arrival at the ERP. ``took``: from a
    message's commit to the commit of the ERP's answer, by Lineside's own clock, shortest first."""

    rate: float
    took: Sequence[float]


def passed_at(here: Measured, erp: PracticeErp, rate: float, seconds: int, first: int, settle_seconds: float) -> Passed:
    """So many messages a second, of all plants in equal parts. Raises SpeedFailed where they are not all posted."""
    erp.forget()
    began_at, each = utc_now(), max(1, round(rate * seconds / len(PLANTS)))
    plans = [
        LoadPlan(here.port, 8, each, inputs.one(plant, here.key), first + place * 10**7, rate / len(PLANTS))
        for place, plant in enumerate(PLANTS)
    ]
    sending = [start_load(here.home, plan) for plan in plans]
    first_at = min(end_load(here.home, process)["began_at"] for process in sending)
    number = each * len(PLANTS)
    last_at = erp.await_documents(number, settle_seconds)
    return Passed(number / (last_at - first_at), _took(here, began_at, number, settle_seconds))


def _took(here: Measured, began_at: datetime, number: int, settle_seconds: float) -> list[float]:
    query = select(Message.received_at, Message.state_at).where(
        Message.received_at >= began_at, Message.state == "posted"
    )
    until = time.monotonic() + settle_seconds
    while True:
        with here.store.reading() as session:
            took = sorted((row.state_at - row.received_at).total_seconds() for row in session.execute(query))
        if len(took) >= number:
            return took
        if time.monotonic() > until:
            raise SpeedFailed(f"Only {len(took):,} of {number:,} messages were posted.")
        time.sleep(0.1)


def _celery(plan: EndToEndPlan, home: Path, erp: PracticeErp) -> float:
    with yardstick_broker(plan.ground, home) as broker:
        module = "app.bench.speed.yardstick_celery"
        worker = ["-m", "celery", "--app", module, "worker", "--loglevel", "WARNING", "--concurrency", "2"]
        publish = ["-m", module]
        return _yardstick(plan.chains, home, erp, {"YARDSTICK_BROKER_URL": broker}, worker, publish)


def _dramatiq(plan: EndToEndPlan, home: Path, erp: PracticeErp) -> float:
    with yardstick_broker(plan.ground, home) as broker:
        module = "app.bench.speed.yardstick_dramatiq"
        worker = ["-m", "dramatiq", module, "--processes", "2", "--threads", "8"]
        return _yardstick(plan.chains, home, erp, {"YARDSTICK_BROKER_URL": broker}, worker, ["-m", module])


def _calls(plan: EndToEndPlan, home: Path, erp: PracticeErp) -> float:
    return _yardstick(plan.messages, home, erp, {}, None, ["-m", "app.bench.speed.yardstick_calls", "2"])


def _dbos(plan: EndToEndPlan, home: Path, erp: PracticeErp) -> float:
    with plan.ground.database(home) as database:
        environment = {"YARDSTICK_DATABASE_URL": database.url.replace("+psycopg", "")}
        return _yardstick(plan.chains, home, erp, environment, None, ["-m", "app.bench.speed.yardstick_dbos"])


def _yardstick(
    chains: int,
    home: Path,
    erp: PracticeErp,
    environment: dict[str, str],
    worker: Sequence[str] | None,
    publish: Sequence[str],
) -> float:
    """Chains a second while all of them run: between the arrival of the first tenth of them and of the last one, so
    that neither the start of a process nor an empty queue counts."""
    erp.forget()
    environment = {**environment, "YARDSTICK_ERP_URL": erp.url}
    log = home / "yardstick.log"
    if worker is None:
        with program([*publish, str(chains)], log, environment):
            return _rate(chains, erp)
    with program(worker, log, environment), program([*publish, str(chains)], log, environment):
        return _rate(chains, erp)


def _rate(chains: int, erp: PracticeErp) -> float:
    early_at = erp.await_documents(chains // 10, SETTLE_SECONDS)
    early = erp.figures()
    last_at = erp.await_documents(chains, SETTLE_SECONDS)
    return float((chains - early["documents"]) / (last_at - max(early_at, early["last_at"])))
