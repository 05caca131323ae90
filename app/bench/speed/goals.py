"""What is to be measured, with its goal: so that the page names what nobody has measured yet, too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """A figure by its name; ``goal`` None where it is told for its own sake."""

    name: str
    goal: str | None


PLANNED: Mapping[str, tuple[Planned, ...]] = {
    "accept": (
        Planned(
            "accept, one a request",
            "at least 3 x a row and a task a request; at least 35% of Flask with no work; p99 under 100 ms",
        ),
        Planned("accept, batches of 100", "10,000 messages/s"),
    ),
    "end-to-end": (
        Planned(
            "end to end, one call a message",
            "at least 6 x a chain of three Celery tasks; at least 2 x a pipeline of three dramatiq actors",
        ),
        Planned(
            "end to end, a target that takes batches",
            "at least 20 x a chain of three Celery tasks; at least 40 x a DBOS workflow of three steps",
        ),
        Planned("accept to posted at 50 messages/s, p50", "under 15 ms"),
        Planned("accept to posted at 50 messages/s, p99", "under 60 ms"),
        Planned("accept to posted at half of capacity, p99", "under 300 ms"),
    ),
    "files": (
        Planned("a dropped CSV, row to inbox", "20,000 rows/s"),
        Planned("the watcher's peak memory at ten times the rows", "flat: at most 1.25 x that at a tenth of the rows"),
    ),
    "load": tuple(Planned(f"posted when {rate} a second are sent", None) for rate in (10, 25, 50, 100, 200)),
    "requeue": (
        Planned("dead letters requeued by a filter, first posted", "under 2 s"),
        Planned("dead letters requeued by a filter, all claimed", "under 10 s"),
    ),
    "hung": (Planned("one plant's ERP hangs, another plant's p99", "within 1.3 x of before it hung"),),
    "history": tuple(
        Planned(name, "within 1.1 x of with few")
        for name in (
            "accept, one a request, with many messages stored",
            "accept, batches of 100, with many messages stored",
            "end to end, with many messages stored",
            "accept to posted at 10 messages/s with many messages stored, p50",
            "accept to posted at 10 messages/s with many messages stored, p99",
        )
    ),
    "backlog": (
        Planned("a backlog drained, its last fifth", "no slower at the end: at least 0.95 x its first fifth"),
        Planned("the relay's part of the processors' time meanwhile", "under 3%"),
    ),
    "memory": (
        Planned("memory of an ingress worker, the most", "under 120 MB"),
        Planned("memory of the whole stack, the most", "under 600 MB"),
        Planned(
            "memory of the whole stack in the last fifth of a soak", "flat: at most 1.1 x that in its second fifth"
        ),
    ),
    "start": (
        Planned("`make run` to the first posted message", "under 30 s"),
        Planned("`lineside up` to an answering API", "under 6 s"),
    ),
}
