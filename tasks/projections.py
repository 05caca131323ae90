"""Projections: what took effect is entered into the ledger and its stock."""

from __future__ import annotations

from app.projections.projector import project
from config.queues import PROJECT, PROJECTIONS_QUEUE
from tasks.base import app, workplace

# A worker's process is lent for no longer at a time: plants wait for it too.
SECONDS = 2.0
TIME_LIMIT_SECONDS = 120


@app.task(name=PROJECT, time_limit=TIME_LIMIT_SECONDS)
def enter_effects() -> None:
    here = workplace()
    if project(here.store, here.pipeline.clock, SECONDS).goes_on:
        app.send_task(PROJECT, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)
