"""What runs on the clock: the relay, and the reading of master data that it asks for."""

from __future__ import annotations

from app.pipeline.reference_data import sync_items
from config.queues import REFERENCE_QUEUE, RELAY, SYNC_ITEMS
from tasks.base import app, workplace


@app.task(name=RELAY)
def relay() -> None:
    here = workplace()
    here.relay.tick()
    if here.relay.items_are_due():
        app.send_task(SYNC_ITEMS, queue=REFERENCE_QUEUE, routing_key=REFERENCE_QUEUE, expires=60)


@app.task(name=SYNC_ITEMS)
def read_items() -> None:
    sync_items(workplace().pipeline)
