"""One run of ``lineside bench hang``: two plants at a steady rate, and one's ERP that stops answering in the middle."""

from __future__ import annotations

import json
import math
import shutil
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import urllib3
from sqlalchemy import select

from app.bench.feed import EVENT, event_of
from app.bench.installation import Ground, Installation, installation
from app.bench.layout import EACH_ITS_OWN_ERP, HANG_PLANTS, HUNG_PLANT, OTHER_PLANT, erp_of
from app.bench.reports import MOVED, Plant, Report, item_description, move
from app.clock import utc_now
from app.demo.run import Show
from app.demo.table import wait_until_settled
from app.inbox.states import State
from app.store.messages_tables import Message

ITEM = "WHEEL-10"
WARM_UP = 20
SENDERS = 16
ANSWER_SECONDS = 10.0
SETTLE_SECONDS = 300.0


@dataclass(frozen=True)
class HangPlan:
    """``rate`` is of each plant, in messages a second."""

    ground: Ground
    rate: int = 5
    before_seconds: int = 20
    hang_seconds: int = 60
    after_seconds: int = 40

    def phases(self) -> dict[str, tuple[float, float]]:
        """From when until when, in seconds since the first message."""
        hung, healed = float(self.before_seconds), float(self.before_seconds + self.hang_seconds)
        return {"before": (0.0, hung), "during": (hung, healed), "after": (healed, healed + self.after_seconds)}

    @property
    def seconds(self) -> int:
        return self.before_seconds + self.hang_seconds + self.after_seconds


@dataclass(frozen=True)
class Passage:
    """A message that was accepted ``at`` seconds after the first one and stood in its ERP ``took`` seconds later."""

    plant: str
    at: float
    took: float


@dataclass(frozen=True)
class HangOutcome:
    plan: HangPlan
    accepted: int
    passages: Sequence[Passage]
    documents: int
    limit_seconds: float

    @property
    def is_clean(self) -> bool:
        """Whether all was posted once, and the other plant did not notice."""
        whole = len(self.passages) == self.accepted == self.documents == self._meant()
        return whole and self.figures(OTHER_PLANT)["during"]["p99"] <= self.limit_seconds

    def figures(self, plant: str) -> dict[str, dict[str, float]]:
        """How long it took from acceptance to the ERP, by phase of acceptance."""
        return {phase: _figures(self._took(plant, *bounds)) for phase, bounds in self.plan.phases().items()}

    def as_json(self) -> dict[str, Any]:
        plan = self.plan
        seconds = {"before": plan.before_seconds, "hang": plan.hang_seconds, "after": plan.after_seconds}
        return {
            "stack": plan.ground.stack,
            "rate": plan.rate,
            "seconds": seconds,
            "accepted": self.accepted,
            "posted": len(self.passages),
            "documents": self.documents,
            "limit_seconds": self.limit_seconds,
            "plants": {plant: self.figures(plant) for plant in HANG_PLANTS},
            "clean": self.is_clean,
        }

    def _took(self, plant: str, begin: float, end: float) -> list[float]:
        return sorted(one.took for one in self.passages if one.plant == plant and begin <= one.at < end)

    def _meant(self) -> int:
        return len(HANG_PLANTS) * self.plan.rate * self.plan.seconds


def _figures(took: Sequence[float]) -> dict[str, float]:
    """Whatever share of the messages was at least as fast; infinite where none was posted."""
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "slowest": 1.0}
    places = {name: math.ceil(share * len(took)) - 1 for name, share in shares.items()}
    found = {name: round(took[place], 3) if took else math.inf for name, place in places.items()}
    return {"messages": len(took), **found}


def run_hang(plan: HangPlan, show: Show, limit_seconds: float, keep: bool = False) -> HangOutcome:
    """Send at the rate, let the ERP hang and answer again, wait until all is posted, and read how long each took."""
    home = Path(tempfile.mkdtemp(prefix="lineside-bench-"))
    try:
        with installation(home, plan.ground, EACH_ITS_OWN_ERP) as here:
            _warm_up(here)
            title = f"{HUNG_PLANT}'s ERP hangs after {plan.before_seconds} s for {plan.hang_seconds} s"
            with show.progress(title) as advance:
                accepted, began_at = _send_all(plan, here, advance)
            with show.progress("waiting until all is quiet") as advance:
                everything = accepted + WARM_UP * len(HANG_PLANTS) + 1
                wait_until_settled(here.store, everything, SETTLE_SECONDS, lambda done: advance(done / everything))
            documents = sum(1 for _ in here.systems.books.entries()) - WARM_UP * len(HANG_PLANTS)
            return HangOutcome(plan, accepted, _passages(here, began_at), documents, limit_seconds)
    finally:
        if not keep:
            shutil.rmtree(home, ignore_errors=True)


def _warm_up(here: Installation) -> None:
    """The item is known, and every process has done each thing once."""
    plants = [Plant(code, Random(0), 0) for code in HANG_PLANTS]
    reports = [item_description(plants[0], ITEM), *_moves(plants, WARM_UP)]
    with urllib3.PoolManager(retries=False, timeout=ANSWER_SECONDS) as pool:
        for report in reports:
            _send(pool, here, report)
    wait_until_settled(here.store, len(reports), SETTLE_SECONDS, lambda done: None)


def _moves(plants: Sequence[Plant], each: int) -> list[Report]:
    """In turn, so that all plants send at the same rate."""
    return [move(plant, ITEM, with_lot=False) for _ in range(each) for plant in plants]


def _send_all(plan: HangPlan, here: Installation, advance: Any) -> tuple[int, datetime]:
    """Each message at its own time, whatever became of the one before; how many were accepted, and when it began."""
    reports = _moves([Plant(code, Random(1), 1) for code in HANG_PLANTS], plan.rate * plan.seconds)
    pause = 1 / (plan.rate * len(HANG_PLANTS))
    hung = here.arena.proxies[erp_of(HUNG_PLANT)]
    changes = [(float(plan.before_seconds), hung.hang), (float(plan.before_seconds + plan.hang_seconds), hung.recover)]
    began, began_at = time.monotonic(), utc_now()
    with urllib3.PoolManager(retries=False, timeout=ANSWER_SECONDS, maxsize=SENDERS) as pool:
        with ThreadPoolExecutor(SENDERS, "sender") as threads:
            answers = []
            for number, report in enumerate(reports):
                due = number * pause
                while changes and changes[0][0] <= due:
                    changes.pop(0)[1]()
                time.sleep(max(0.0, began + due - time.monotonic()))
                advance(number / len(reports))
                answers.append(threads.submit(_send, pool, here, report))
        return sum(answer.result() for answer in answers), began_at


def _send(pool: urllib3.PoolManager, here: Installation, report: Report) -> bool:
    headers = {"Content-Type": EVENT, "Authorization": f"Bearer {here.key}"}
    body = json.dumps(event_of(report)).encode()
    return pool.request("POST", f"{here.url}/v1/messages", body=body, headers=headers).status == 202


def _passages(here: Installation, began_at: datetime) -> list[Passage]:
    """By Lineside's own clock: from the commit that a sender is told of to the commit of the ERP's answer."""
    query = select(Message.plant, Message.received_at, Message.state_at)
    query = query.where(Message.state == State.POSTED.value, Message.type == MOVED)
    query = query.where(Message.received_at >= began_at - timedelta(milliseconds=1))
    with here.store.reading() as session:
        rows = session.execute(query.order_by(Message.received_at)).all()
    return [
        Passage(plant, (received_at - began_at).total_seconds(), (posted_at - received_at).total_seconds())
        for plant, received_at, posted_at in rows
    ]
