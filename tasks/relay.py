"""What runs on the clock: the relay, and what it asks for: master data, orders, and projections brought up to date."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from app.dead_letters.weighing import weighing_is_due
from app.pipeline.backlog_age import look_at_backlogs
from app.pipeline.reading import due_readings, read_domain
from app.pipeline.reference_data import sync_items
from config.queues import (
    PROJECT,
    PROJECTIONS_QUEUE,
    READ_DOMAIN,
    REFERENCE_QUEUE,
    RELAY,
    SYNC_ITEMS,
    WEBHOOKS,
    WEBHOOKS_QUEUE,
    WEIGH,
)
from tasks.base import Workplace, app, workplace
from tasks.reconcile import send_turn, turns


@app.task(name=RELAY)
def relay() -> None:
    workplace().relay.tick()
    look_at_backlogs(workplace().pipeline)
    for name, queue, seconds, arguments in _due(workplace()):
        app.send_task(name, kwargs=arguments, queue=queue, routing_key=queue, expires=seconds)
    turn = turns().due()
    if turn is not None:
        send_turn(*turn)


def _due(here: Workplace) -> Iterator[tuple[str, str, int, dict[str, Any]]]:
    """What other workers should do now: the task, its queue, for how many seconds it is worth doing, its arguments."""
    if here.relay.items_are_due():
        yield SYNC_ITEMS, REFERENCE_QUEUE, 60, {}
    if here.relay.effects_are_due():
        yield PROJECT, PROJECTIONS_QUEUE, 10, {}
    if weighing_is_due(here.store, here.pipeline.clock()):
        yield WEIGH, PROJECTIONS_QUEUE, 10, {}
    for subscriber in here.webhooks.due():
        yield WEBHOOKS, WEBHOOKS_QUEUE, 10, {"subscriber": subscriber}
    for source, domain in due_readings(here.pipeline):
        yield READ_DOMAIN, REFERENCE_QUEUE, 10, {"source": source, "domain": domain}


@app.task(name=SYNC_ITEMS)
def read_items() -> None:
    sync_items(workplace().pipeline)


@app.task(name=READ_DOMAIN)
def read_source(source: str, domain: str) -> None:
    here = workplace()
    read_domain(here.pipeline, here.dispatcher.nudge, source, domain)
