"""Task names, queues and schedules are written once and agree with what workers really register."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config import queues
from config.settings import load_settings

ROOT = Path(__file__).resolve().parents[2]
PLANTS = ("P100", "P200")
TASK_NAMES = {queues.TRANSFORM, queues.ENRICH, queues.POST, queues.RELAY, queues.SYNC_ITEMS, queues.READ_DOMAIN}
TASK_NAMES |= {queues.RETAIN}
TASK_NAMES |= {queues.PROJECT, queues.TAKE_BALANCES, queues.RECONCILE}
TASK_NAMES |= {queues.JUDGE_RULES, queues.TELL_OWNERS}
TASK_NAMES |= {queues.WEIGH}
TASK_NAMES |= {queues.WEBHOOKS}


def _registered(tmp_path: Path) -> set[str]:
    """In a process of its own, because the application is made from the environment when it is imported."""
    code = (
        "from tasks.base import app; app.loader.import_default_modules();"
        "print('\\n'.join(n for n in app.tasks if n.startswith('lineside.')))"
    )
    environment = {**os.environ, "LINESIDE_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


@pytest.mark.slow
def test_every_task_that_is_sent_is_registered_and_every_registered_one_is_named(tmp_path: Path) -> None:
    assert _registered(tmp_path) == TASK_NAMES


def test_the_schedule_sends_only_named_tasks_to_declared_queues(tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path)})
    schedule = queues.celery_settings(settings, PLANTS)["beat_schedule"]
    declared = {queue.name for queue in queues.all_queues(PLANTS, settings.broker_url)}

    assert {entry["task"] for entry in schedule.values()} <= TASK_NAMES
    assert {entry["options"]["queue"] for entry in schedule.values()} <= declared


def test_every_declared_queue_has_a_worker_but_the_dead_ones() -> None:
    declared = {queue.name for queue in queues.all_queues(PLANTS, "redis://")}
    consumed = {name for role in ("work", "post", "relay", "webhooks") for name in queues.worker_queues(role, PLANTS)}

    assert declared - consumed == {queues.dead_queue(plant) for plant in PLANTS}
    assert consumed <= declared


def test_celery_takes_and_sends_json_only(tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path)})

    chosen = queues.celery_settings(settings, PLANTS)

    assert chosen["accept_content"] == ["json"]
    assert {chosen[f"{kind}_serializer"] for kind in ("task", "result", "event")} == {"json"}


def test_queues_on_rabbitmq_are_quorum_queues_with_a_delivery_limit() -> None:
    for queue in queues.all_queues(PLANTS, "amqp://"):
        assert queue.queue_arguments == {"x-queue-type": "quorum", "x-delivery-limit": 5}


@pytest.mark.slow
@pytest.mark.parametrize("module", ["app.wsgi", "app.dispatch", "app.factory"])
def test_the_web_process_never_imports_worker_code(tmp_path: Path, module: str) -> None:
    code = f"import sys, {module}; sys.exit(any(name.split('.')[0] == 'tasks' for name in sys.modules))"
    environment = {
        **os.environ,
        "LINESIDE_HOME": str(tmp_path),
        "LINESIDE_DATABASE_URL": f"sqlite:///{tmp_path}/x.db",
        "PYTHONPATH": str(ROOT),
    }

    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stderr
