"""Reconciliation by itself: balances are read beside other systems' calls, and compared beside the projections."""

from __future__ import annotations

from app.reconcile.turns import Stage, Turns
from config.queues import PROJECTIONS_QUEUE, RECONCILE, REFERENCE_QUEUE, TAKE_BALANCES
from tasks.base import app, workplace

TIME_LIMIT_SECONDS = 600


def turns() -> Turns:
    line = workplace().pipeline
    return Turns(line.store, line.topology, line.adapter_for, line.clock)


def send_turn(stage: Stage, system: str) -> None:
    """What is still to be done when it expires is sent again."""
    if stage == "read":
        named = {"system": system}
        app.send_task(TAKE_BALANCES, kwargs=named, queue=REFERENCE_QUEUE, routing_key=REFERENCE_QUEUE, expires=10)
    else:
        app.send_task(RECONCILE, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)


@app.task(name=TAKE_BALANCES)
def take_balances(system: str) -> None:
    turns().read(system)


@app.task(name=RECONCILE, time_limit=TIME_LIMIT_SECONDS)
def compare() -> None:
    turns().compare()
