"""Every queue, task name and broker setting has its home here; the Procfile and the workers ask this module."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from celery.schedules import schedule
from kombu import Exchange, Queue

from config.broker import HEARTBEAT_SECONDS, transport_options
from config.settings import Settings

TRANSFORM = "lineside.transform"
ENRICH = "lineside.enrich"
POST = "lineside.post"
PERMITS = (TRANSFORM, ENRICH, POST)
RELAY = "lineside.relay"
SYNC_ITEMS = "lineside.sync_items"
READ_DOMAIN = "lineside.read_domain"
PROJECT = "lineside.project"
RETAIN = "lineside.retain"
TAKE_BALANCES = "lineside.take_balances"
RECONCILE = "lineside.reconcile"
JUDGE_RULES = "lineside.judge_rules"
TELL_OWNERS = "lineside.tell_owners"
WEIGH = "lineside.weigh"
WEBHOOKS = "lineside.webhooks"

RELAY_QUEUE = "lineside.relay"
REFERENCE_QUEUE = "lineside.reference"
PROJECTIONS_QUEUE = "lineside.projections"
EXCEPTIONS_QUEUE = "lineside.exceptions"
WEBHOOKS_QUEUE = "lineside.webhooks"
RELAY_EVERY_SECONDS = 1.0
RETAIN_EVERY_SECONDS = 60.0
EXCEPTIONS_EVERY_SECONDS = 5.0


def work_queue(plant: str) -> str:
    return f"plant.{plant}.work"


def post_queue(plant: str) -> str:
    return f"plant.{plant}.post"


def dead_queue(plant: str) -> str:
    return f"plant.{plant}.dead"


def plant_queues(plant: str) -> tuple[str, str, str]:
    return work_queue(plant), post_queue(plant), dead_queue(plant)


def worker_queues(role: Literal["work", "post", "relay", "webhooks"], plants: Iterable[str]) -> list[str]:
    """The queues that a worker of this role consumes. Nobody consumes a dead queue: it is a mirror to look at."""
    if role == "work":
        return [*(work_queue(plant) for plant in plants), PROJECTIONS_QUEUE]
    if role == "post":
        return [*(post_queue(plant) for plant in plants), REFERENCE_QUEUE, EXCEPTIONS_QUEUE]
    return [WEBHOOKS_QUEUE] if role == "webhooks" else [RELAY_QUEUE]


def declared_queue(name: str, broker_url: str) -> Queue:
    """A queue as every process declares it. On RabbitMQ: quorum, and what cannot be delivered goes to its own limit.

    A permit is worth nothing by itself, so a permit that a worker died of five times is dropped; the relay sends
    another one for whatever is still due.
    """
    arguments: dict[str, Any] = {}
    if broker_url.startswith("amqp"):
        arguments = {"x-queue-type": "quorum", "x-delivery-limit": 5}
    return Queue(name, Exchange(name, type="direct", durable=True), routing_key=name, queue_arguments=arguments)


def all_queues(plants: Iterable[str], broker_url: str) -> list[Queue]:
    names = [RELAY_QUEUE, REFERENCE_QUEUE, PROJECTIONS_QUEUE, EXCEPTIONS_QUEUE, WEBHOOKS_QUEUE] + [
        name for plant in plants for name in plant_queues(plant)
    ]
    return [declared_queue(name, broker_url) for name in names]


def _steady_now() -> datetime:
    """Only its differences mean anything. A clock that is set back by an hour would stop Celery's beat for an hour."""
    return datetime.fromtimestamp(time.monotonic(), UTC)


def celery_settings(settings: Settings, plants: Iterable[str]) -> Mapping[str, Any]:
    """One set of Celery settings for the processes that send and the processes that work."""
    return {
        "broker_url": settings.broker_url,
        "broker_transport_options": transport_options(settings.broker_url),
        "broker_heartbeat": HEARTBEAT_SECONDS,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_connection_timeout": 5,
        "accept_content": ["json"],
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_queues": all_queues(plants, settings.broker_url),
        "task_create_missing_queues": False,
        "task_default_queue": RELAY_QUEUE,
        "task_default_exchange": RELAY_QUEUE,
        "task_default_routing_key": RELAY_QUEUE,
        # Permits are acknowledged early on purpose: a lost permit costs nothing, because the relay sends another.
        "task_acks_late": False,
        # Once: that a connection of the pool was cut is found out by whoever uses it next.
        "task_publish_retry": True,
        "task_publish_retry_policy": {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0},
        "worker_prefetch_multiplier": 1,
        "worker_send_task_events": True,
        "worker_soft_shutdown_timeout": 5.0,
        "worker_hijack_root_logger": False,
        "worker_detect_quorum_queues": True,
        "worker_consumer": "tasks.pool_watch:WatchedConsumer",
        # A busy machine may let a child wait for its first breath; killed for that, its successor would wait as long.
        "worker_proc_alive_timeout": 60.0,
        "timezone": "UTC",
        "enable_utc": True,
        "beat_schedule": {
            "relay": _every(RELAY_EVERY_SECONDS, RELAY, RELAY_QUEUE, 5.0),
            "retention": _every(RETAIN_EVERY_SECONDS, RETAIN, REFERENCE_QUEUE, RETAIN_EVERY_SECONDS),
            "rules": _every(EXCEPTIONS_EVERY_SECONDS, JUDGE_RULES, EXCEPTIONS_QUEUE, EXCEPTIONS_EVERY_SECONDS),
            "owners": _every(EXCEPTIONS_EVERY_SECONDS, TELL_OWNERS, EXCEPTIONS_QUEUE, EXCEPTIONS_EVERY_SECONDS),
        },
    }


def _every(seconds: float, task: str, queue: str, expires: float) -> Mapping[str, Any]:
    return {
        "task": task,
        "schedule": schedule(timedelta(seconds=seconds), nowfun=_steady_now),
        "options": {"queue": queue, "expires": expires},
    }
