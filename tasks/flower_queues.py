"""Let Flower see every plant's queues, also those that nobody consumes.

Flower's broker page lists the queues that live workers report as active. The dead queues are mirrors that no worker
consumes, and with one kind of worker down its queues would vanish from the page just when they matter. So each worker
reports, beside the queues that it consumes, all queues of Lineside; the answer to ``active_queues`` is the only
thing that changes. Celery keeps its inspect commands in one table by name, and this replaces the entry: a worker
imports it before it answers anything.
"""

from __future__ import annotations

from typing import Any

from celery.worker.control import active_queues as consumed_queues  # type: ignore[attr-defined]
from celery.worker.control import inspect_command

from config.queues import all_queues
from tasks.base import settings, topology


@inspect_command(name="active_queues")
def active_queues(state: Any) -> list[dict[str, Any]]:
    """The queues that this worker consumes, then Lineside's others."""
    consumed: list[dict[str, Any]] = consumed_queues(state)
    named = {queue["name"] for queue in consumed}
    others = [queue for queue in all_queues(topology.plants, settings.broker_url) if queue.name not in named]
    return [*consumed, *(dict(queue.as_dict(recurse=True)) for queue in others)]
