"""The Celery application, and what every task shares: the process's pipeline and the log's context."""

from __future__ import annotations

import os
import socket
from functools import cached_property, lru_cache
from typing import Any

import structlog
from celery import Celery, Task
from celery.signals import setup_logging

from app.access.sealing import Seal
from app.adapters.base import Adapter
from app.adapters.guarded_http import GuardedHttp, Reach
from app.adapters.registry import build_adapter
from app.clock import LeapWatch
from app.dispatch import Dispatcher
from app.pipeline.context import Pipeline
from app.pipeline.relay import Relay
from app.pipeline.share import Shares
from app.pipeline.without_permits import WithoutPermits
from app.store.session import Store
from app.telemetry.logs import configure_logging
from app.webhooks.sending import PURPOSE, TIMEOUT_SECONDS, WebhookSender
from config.broker import Amqp
from config.queues import PERMITS, celery_settings
from config.settings import Settings, load_settings
from config.topology import Topology
from config.topology_file import load_topology

# Connections to one subscriber that may be open at once.
WEBHOOK_THREADS = 16


class Workplace:
    """What the tasks of one process work with; made anew in a forked child, whose parent's connections are not its."""

    def __init__(self, settings: Settings, topology: Topology) -> None:
        self.settings = settings
        self.topology = topology
        self.without_permits: WithoutPermits | None = None

    @cached_property
    def store(self) -> Store:
        return Store(self.settings.database_url, pool_size=self.settings.post_threads + 2)

    @cached_property
    def pipeline(self) -> Pipeline:
        @lru_cache(maxsize=256)
        def adapter_for(code: str) -> Adapter:
            return build_adapter(self.topology.targets[code], self.settings)

        shares = Shares(self.settings.post_threads, list(self.topology.plants.values()))
        return Pipeline(
            self.store,
            self.topology,
            adapter_for,
            f"{socket.gethostname()}:{os.getpid()}",
            float(self.settings.lease_seconds),
            leapt_within=LeapWatch().leapt_within,
            shares=shares,
        )

    @cached_property
    def dispatcher(self) -> Dispatcher:
        return Dispatcher(self.settings, list(self.topology.plants), app)

    @cached_property
    def webhooks(self) -> WebhookSender:
        http = GuardedHttp(TIMEOUT_SECONDS, WEBHOOK_THREADS, Reach(self.topology.webhooks_allow))
        return WebhookSender(self.store, Seal(self.settings, PURPOSE), http, self.pipeline.clock)

    @cached_property
    def relay(self) -> Relay:
        return Relay(self.pipeline, self.dispatcher, self.settings.batch_size)


_workplaces: dict[int, Workplace] = {}


def workplace() -> Workplace:
    """This process's workplace."""
    pid = os.getpid()
    if pid not in _workplaces:
        _workplaces.clear()
        _workplaces[pid] = Workplace(settings, topology)
    return _workplaces[pid]


class LinesideTask(Task):  # type: ignore[type-arg]
    """Binds plant and task to every log line of a run. Tasks never retry themselves: the relay asks again."""

    max_retries = 0
    ignore_result = True

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        watch = workplace().without_permits
        if watch is not None and self.name in PERMITS:
            watch.permit_came()
        with structlog.contextvars.bound_contextvars(step=self.name, plant=kwargs.get("plant")):
            return super().__call__(*args, **kwargs)


settings = load_settings()
topology = load_topology(settings.config_path)
app = Celery(
    "lineside",
    amqp=Amqp,
    task_cls=LinesideTask,
    include=[
        *("tasks.pipeline", "tasks.relay", "tasks.projections", "tasks.retention", "tasks.reconcile"),
        *("tasks.exceptions", "tasks.webhooks", "tasks.flower_queues", "tasks.silence"),
    ],
)
app.conf.update(celery_settings(settings, topology.plants))


@setup_logging.connect
def _log_like_every_process(**_: Any) -> None:
    configure_logging(settings)
