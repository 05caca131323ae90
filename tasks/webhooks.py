"""Webhooks: one subscriber is sent what is due to it."""

from __future__ import annotations

from config.queues import WEBHOOKS, WEBHOOKS_QUEUE
from tasks.base import app, workplace

# A thread is lent to one subscriber for no longer at a time: others wait for it too.
SECONDS = 5.0


@app.task(name=WEBHOOKS)
def send_webhooks(subscriber: int) -> None:
    here = workplace()
    if here.webhooks.serve(subscriber, SECONDS):
        named = {"subscriber": subscriber}
        app.send_task(WEBHOOKS, kwargs=named, queue=WEBHOOKS_QUEUE, routing_key=WEBHOOKS_QUEUE, expires=10)
    here.webhooks.forget_old()
