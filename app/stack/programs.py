"""What each process really runs. A command of ours becomes the program itself, so pid and signals are the real ones."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from config.queues import worker_queues
from config.settings import Settings, inherited_environment

PROJECT = Path(__file__).resolve().parents[2]

GRACEFUL_SECONDS = 8
WEB_TIMEOUT_SECONDS = 60
KEEP_ALIVE_SECONDS = 15
WORKER_CLASS = "app.stack.web_worker.EvenThreadWorker"
WEBHOOK_THREADS = 16

Role = Literal["work", "post", "relay", "webhooks"]
ROLES: tuple[Role, ...] = ("work", "post", "relay", "webhooks")


@dataclass(frozen=True)
class Program:
    """``environment`` holds only what is added to the environment that the process inherits."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)


def become(program: Program) -> None:
    """Replace this process by the program; does not return."""
    sys.stdout.flush()
    sys.stderr.flush()
    arguments = program.arguments
    os.execve(arguments[0], arguments, inherited_environment(program.environment))  # noqa: S606 - no shell is wanted


def web(settings: Settings) -> Program:
    """The API and the console under gunicorn, on threads: a request waits for the database, hardly ever for the CPU."""
    arguments = ["app.wsgi:application", "--worker-class", WORKER_CLASS, "--bind", f"{settings.host}:{settings.port}"]
    arguments += ["--workers", str(settings.web_workers), "--threads", str(settings.web_threads)]
    arguments += ["--timeout", str(WEB_TIMEOUT_SECONDS), "--graceful-timeout", str(GRACEFUL_SECONDS)]
    arguments += ["--keep-alive", str(KEEP_ALIVE_SECONDS), "--no-control-socket"]
    arguments += ["--logger-class", "app.telemetry.gunicorn_log.OneFormLogger", "--log-level", "warning"]
    return _python(settings, "gunicorn", arguments)


def worker(settings: Settings, plants: Iterable[str], role: Role) -> Program:
    """A Celery worker. Work uses the CPU and runs in processes; posts wait for other systems and run in threads."""
    pools = {
        "work": ("prefork", settings.work_processes),
        "post": ("threads", settings.post_threads),
        "relay": ("solo", 1),
        "webhooks": ("threads", WEBHOOK_THREADS),
    }
    pool, concurrency = pools[role]
    arguments = ["worker", "--queues", ",".join(worker_queues(role, plants)), "--hostname", f"{role}@%h"]
    arguments += ["--pool", pool, "--concurrency", str(concurrency), "--loglevel", settings.log_level]
    arguments += ["--without-gossip", "--without-mingle"]
    return _celery(settings, arguments)


def beat(settings: Settings) -> Program:
    """The clock. It keeps its schedule in memory: a tick that was missed is made up for by the next."""
    return _celery(settings, ["beat", "--scheduler", "tasks.clock:RelayClock", "--loglevel", settings.log_level])


def watch(settings: Settings) -> Program:
    """The watcher of the drop folders."""
    return _python(settings, "app.intake", [])


def flower(settings: Settings) -> Program:
    """Flower, to look at only: it answers ``/metrics`` without a password, so it is bound to loopback, and its buttons
    that change things are off. Its own variables (``FLOWER_BASIC_AUTH``, ``FLOWER_BROKER_API``) are heeded."""
    arguments = ["flower", f"--address={settings.flower_host}", f"--port={settings.flower_port}", "--read_only=True"]
    arguments += ["--persistent=False", "--max_tasks=5000", "--purge_offline_workers=120", "--logging=warning"]
    return _celery(settings, arguments)


def _celery(settings: Settings, arguments: list[str]) -> Program:
    return _python(settings, "celery", ["--app", "tasks.base", "--quiet", *arguments])


def _python(settings: Settings, module: str, arguments: list[str]) -> Program:
    settings.metrics_dir.mkdir(parents=True, exist_ok=True)
    return Program((sys.executable, "-P", "-m", module, *arguments), common_environment(settings))


def common_environment(settings: Settings) -> dict[str, str]:
    """What is added for each of Python's."""
    paths = [str(PROJECT), inherited_environment({}).get("PYTHONPATH", "")]
    return {
        "PYTHONPATH": os.pathsep.join(path for path in paths if path),
        "PROMETHEUS_MULTIPROC_DIR": str(settings.metrics_dir),
        "PYTHONUNBUFFERED": "1",
    }
