"""Projections: what took effect is entered into the ledger and its stock, and dead letters are weighed."""

from __future__ import annotations

from app.dead_letters.weighing import weigh
from app.inbox.claim import new_token
from app.projections.measuring import Yardstick
from app.projections.projector import project
from config.queues import PROJECT, PROJECTIONS_QUEUE, WEIGH
from tasks.base import app, workplace

# A worker's process is lent for no longer at a time: plants wait for it too.
SECONDS = 2.0
TIME_LIMIT_SECONDS = 120


@app.task(name=PROJECT, time_limit=TIME_LIMIT_SECONDS)
def enter_effects() -> None:
    here = workplace()
    if project(here.store, here.pipeline.clock, SECONDS, Yardstick.of(here.topology)).goes_on:
        app.send_task(PROJECT, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)


@app.task(name=WEIGH, time_limit=TIME_LIMIT_SECONDS)
def weigh_dead_letters(after: int = 0) -> None:
    here = workplace()
    goes_on = weigh(here.store, here.pipeline.clock, SECONDS, new_token(), after)
    if goes_on is not None:
        named = {"after": goes_on}
        app.send_task(WEIGH, kwargs=named, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)
