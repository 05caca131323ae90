"""What runs on the clock: the relay, and what it asks for: master data, orders, and projections brought up to date."""

from __future__ import annotations

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
from tasks.base import app, workplace
from tasks.reconcile import send_turn, turns


@app.task(name=RELAY)
def relay() -> None:
    here = workplace()
    here.relay.tick()
    if here.relay.items_are_due():
        app.send_task(SYNC_ITEMS, queue=REFERENCE_QUEUE, routing_key=REFERENCE_QUEUE, expires=60)
    if here.relay.effects_are_due():
        app.send_task(PROJECT, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)
    turn = turns().due()
    if turn is not None:
        send_turn(*turn)
    look_at_backlogs(here.pipeline)
    if weighing_is_due(here.store, here.pipeline.clock()):
        app.send_task(WEIGH, queue=PROJECTIONS_QUEUE, routing_key=PROJECTIONS_QUEUE, expires=10)
    for subscriber in here.webhooks.due():
        named = {"subscriber": subscriber}
        app.send_task(WEBHOOKS, kwargs=named, queue=WEBHOOKS_QUEUE, routing_key=WEBHOOKS_QUEUE, expires=10)
    for source, domain in due_readings(here.pipeline):
        read = {"source": source, "domain": domain}
        app.send_task(READ_DOMAIN, kwargs=read, queue=REFERENCE_QUEUE, routing_key=REFERENCE_QUEUE, expires=10)


@app.task(name=SYNC_ITEMS)
def read_items() -> None:
    sync_items(workplace().pipeline)


@app.task(name=READ_DOMAIN)
def read_source(source: str, domain: str) -> None:
    here = workplace()
    read_domain(here.pipeline, here.dispatcher.nudge, source, domain)
