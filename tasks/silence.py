"""Start, in each worker process that works on messages, what works on them when no permit comes."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from celery.signals import worker_init, worker_process_init

from app.inbox.states import Step
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.straight_on import transform_straight_on
from app.pipeline.without_permits import WithoutPermits, Work
from tasks.base import workplace


def _transform(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    return transform_straight_on(pipeline, plant, up_to).ids


# The name by which a worker is started, before its host (``programs.worker``), says what it works on.
STEPS: Mapping[str, Mapping[Step, Work]] = {
    "work": {Step.TRANSFORM: _transform, Step.ENRICH: enrich_due},
    "post": {Step.POST: post_due},
}
PLANTS_AT_ONCE = {"work": 1, "post": 4}


@worker_init.connect
def _in_threads(sender: Any = None, **_: Any) -> None:
    """A worker of threads is one process; of others this is the parent, which works on nothing itself."""
    if "thread" in str(sender.pool_cls):
        _start(sender.hostname)
    else:
        _read_for_children()


def _read_for_children() -> None:
    """Each child asks the kernel to end with its parent, by way of cffi where that is installed (billiard.util), whose
    grammar takes a process 100 ms of CPU to read. Read here, every child has it; on a busy machine that is seconds."""
    with suppress(ImportError):
        importlib.import_module("cffi").FFI().cdef("int prctl (int option, ...);")


@worker_process_init.connect
def _in_a_child(sender: Any = None, **_: Any) -> None:
    _start(str(sender))


def _start(hostname: str) -> None:
    role = hostname.partition("@")[0]
    if role not in STEPS:
        return
    here = workplace()
    here.without_permits = WithoutPermits(here.pipeline, STEPS[role], here.settings.batch_size, PLANTS_AT_ONCE[role])
    threading.Thread(target=here.without_permits.run, name="without-permits", daemon=True).start()
