"""Ten thousand dead letters requeued by one filter: how soon the first is posted, and all are in hand."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3
from sqlalchemy import and_, func, or_, select

from app.access.accounts import create_account
from app.access.roles import Role
from app.bench.installation import Ground
from app.bench.speed import inputs
from app.bench.speed.end_to_end import warm_up
from app.bench.speed.figures import Figure, Runs, at_most
from app.bench.speed.installation import PLANTS, WEB, WORKERS, Measured, measured
from app.bench.speed.load import LoadPlan
from app.bench.speed.programs import PracticeErp, SpeedFailed, load, practice_erp
from app.clock import utc_now
from app.demo.run import Show
from app.inbox.states import Move, State, move_messages
from app.store.messages_tables import Message

FIRST_NAME, ALL_NAME = (
    "dead letters requeued by a filter, first posted",
    "dead letters requeued by a filter, all claimed",
)
FIRST_SECONDS, ALL_SECONDS = 2.0, 10.0
BATCH_SIZE, CHUNK = 100, 1_000
REASON = "bench"
CLAIM_SECONDS, REQUEST_SECONDS, LOOK_SECONDS = 600.0, 60.0, 0.05


@dataclass(frozen=True)
class RequeuePlan:
    """``letters`` dead letters of all plants, each of a lot of its own."""

    ground: Ground
    runs: int = 3
    letters: int = 10_000


def run_requeued(plan: RequeuePlan, home: Path, show: Show) -> list[Figure]:
    """In an installation of its own each time, warmed up before the letters are requeued."""
    first, every = [], []
    with show.progress("Requeueing dead letters") as advance, practice_erp(home) as erp:
        for turn in range(plan.runs):
            with measured(home / f"lineside-{turn}", plan.ground, dict.fromkeys(PLANTS, erp.url), WEB) as here:
                _make_letters(here, plan.letters)
                here.start(WORKERS)
                warm_up(here, erp)
                one, all_ = _requeue(here, erp, plan.letters)
            first.append(one)
            every.append(all_)
            advance((turn + 1) / plan.runs)
    soon, whole = Runs(first), Runs(every)
    stack = plan.ground.stack
    return [
        Figure(FIRST_NAME, stack, "s", soon, {}, [at_most(soon.median, FIRST_SECONDS, f"under {FIRST_SECONDS:g} s")]),
        Figure(ALL_NAME, stack, "s", whole, {}, [at_most(whole.median, ALL_SECONDS, f"under {ALL_SECONDS:g} s")]),
    ]


def _make_letters(here: Measured, letters: int) -> None:
    """Accepted while no worker runs, and dead by the same move that a step makes."""
    load(here.home, LoadPlan(here.port, 4, letters // BATCH_SIZE, inputs.batch(PLANTS, BATCH_SIZE, here.key), 1))
    with here.store.reading() as session:
        ids = list(session.scalars(select(Message.id).order_by(Message.id)))
    for start in range(0, len(ids), CHUNK):
        moves = [
            Move(message_id, State.DEAD, reason_code=REASON, reason="made by the bench")
            for message_id in ids[start : start + CHUNK]
        ]
        with here.store.writing() as session:
            move_messages(session, moves, utc_now())


def _requeue(here: Measured, erp: PracticeErp, letters: int) -> tuple[float, float]:
    """Seconds from the request until the first document is in the ERP, and until a worker has claimed the last."""
    password = secrets.token_hex(16)
    with here.store.writing() as session:
        create_account(session, "bench", password, Role.OPERATOR, utc_now())
    headers = urllib3.make_headers(basic_auth=f"bench:{password}")
    erp.forget()
    began = time.monotonic()
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(_ask, here.port, headers)
        claimed_at = _all_claimed(here, began + CLAIM_SECONDS)
        requeued = asked.result()
    if requeued != letters:
        raise SpeedFailed(f"{requeued:,} of {letters:,} dead letters were requeued.")
    erp.await_documents(1, CLAIM_SECONDS)
    first_at = float(erp.figures()["first_at"])
    return first_at - began, claimed_at - began


def _ask(port: int, headers: dict[str, str]) -> int:
    """How many were requeued; the request is repeated while its answer says that there are more."""
    count, until = 0, time.monotonic() + CLAIM_SECONDS
    while time.monotonic() < until:
        answer = urllib3.request(
            "POST",
            f"http://127.0.0.1:{port}/v1/admin/dead-letters/requeue",
            json={"filter": {"reason_code": REASON}},
            headers=headers,
            timeout=REQUEST_SECONDS,
            retries=False,
        )
        told: dict[str, Any] = answer.json()
        if answer.status != 200:
            raise SpeedFailed(f"The requeue is answered {answer.status}: {told}")
        count += int(told["count"])
        if not told.get("more"):
            return count
    raise SpeedFailed(f"Only {count:,} were requeued within {CLAIM_SECONDS:g} s.")


def _all_claimed(here: Measured, until: float) -> float:
    """When none was dead any more, or due and in nobody's hands."""
    unclaimed = and_(Message.state == State.RECEIVED.value, Message.lease_token.is_(None))
    query = select(func.count()).select_from(Message).where(or_(Message.state == State.DEAD.value, unclaimed))
    while True:
        with here.store.reading() as session:
            left = session.scalar(query)
        if not left:
            return time.monotonic()
        if time.monotonic() > until:
            raise SpeedFailed(f"{left:,} dead letters were not claimed within {CLAIM_SECONDS:g} s.")
        time.sleep(LOOK_SECONDS)
