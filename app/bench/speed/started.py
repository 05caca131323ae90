"""How long a newcomer waits: `make run` in a fresh checkout until a message is posted, and `lineside up` after that."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from app.bench.ground import free_port
from app.bench.installation import Ground
from app.bench.speed.brokers import product_broker
from app.bench.speed.figures import Figure, Runs, at_most
from app.bench.speed.programs import SpeedFailed
from app.demo.run import Show
from app.stack.programs import PROJECT
from app.stack.running import answers
from app.store.messages_tables import Message
from app.store.session import Store
from config.settings import inherited_environment, load_settings

RUN_NAME, UP_NAME = "`make run` to the first posted message", "`lineside up` to an answering API"
RUN_SECONDS, UP_SECONDS = 30.0, 6.0
PATIENCE_SECONDS, END_SECONDS, LOOK_SECONDS = 600.0, 60.0, 0.05
LEFT_OUT = (".venv", ".git", "__pycache__", ".hypothesis", "*_cache")


@dataclass(frozen=True)
class StartPlan:
    ground: Ground
    runs: int = 3


def run_started(plan: StartPlan, home: Path, show: Show) -> list[Figure]:
    """Each time in a checkout without anything installed and an empty home. What is to be installed was fetched before,
    by an installation that does not count. Raises SpeedFailed where this is no checkout."""
    if not (PROJECT / "Makefile").exists():
        raise SpeedFailed(f"There is no Makefile in {PROJECT}: how long `make run` takes is measured in a checkout.")
    ran, upped = [], []
    checkout = home / "lineside"
    shutil.copytree(PROJECT, checkout, ignore=shutil.ignore_patterns(*LEFT_OUT))
    with show.progress("Starting as a newcomer does") as advance:
        _end(_begin(["make", ".venv/.ready"], checkout, {}, home), patience=PATIENCE_SECONDS, stop=False)
        for turn in range(plan.runs):
            shutil.rmtree(checkout / ".venv")
            there = home / f"h{turn}"
            there.mkdir()
            with plan.ground.database(there) as database, product_broker(plan.ground) as broker:
                environment = _environment(there, database.url, broker)
                ran.append(_make_run(checkout, environment, there))
                advance((turn + 0.7) / plan.runs)
                upped.append(_up(checkout, environment, there))
            advance((turn + 1) / plan.runs)
    run, up = Runs(ran), Runs(upped)
    stack = plan.ground.stack
    return [
        Figure(RUN_NAME, stack, "s", run, {}, [at_most(run.median, RUN_SECONDS, f"under {RUN_SECONDS:g} s")]),
        Figure(UP_NAME, stack, "s", up, {}, [at_most(up.median, UP_SECONDS, f"under {UP_SECONDS:g} s")]),
    ]


def _environment(home: Path, database_url: str, broker_url: str) -> dict[str, str]:
    return {
        "LINESIDE_HOME": str(home),
        "LINESIDE_DATABASE_URL": database_url,
        "LINESIDE_BROKER_URL": broker_url,
        "LINESIDE_PORT": str(free_port()),
        "LINESIDE_FLOWER_PORT": str(free_port()),
    }


def _make_run(checkout: Path, environment: Mapping[str, str], home: Path) -> float:
    """Seconds until the first message is posted."""
    store = Store(environment["LINESIDE_DATABASE_URL"], pool_size=1)
    try:
        with _running(["make", "run"], checkout, environment, home) as (process, began):
            _await(lambda: _is_any_posted(store), process, home)
            return time.monotonic() - began
    finally:
        store.dispose()


def _is_any_posted(store: Store) -> bool:
    try:
        with store.reading() as session:
            return session.scalar(select(Message.id).where(Message.state == "posted").limit(1)) is not None
    except DBAPIError:
        return False  # its tables are not there yet


def _up(checkout: Path, environment: Mapping[str, str], home: Path) -> float:
    """Seconds until the API answers."""
    settings = load_settings(environment)
    command = [str(checkout / ".venv/bin/lineside"), "up"]
    with _running(command, checkout, environment, home) as (process, began):
        _await(lambda: answers(f"http://{settings.host}:{settings.port}/readyz"), process, home)
        return time.monotonic() - began


@contextmanager
def _running(
    command: list[str], checkout: Path, environment: Mapping[str, str], home: Path
) -> Iterator[tuple[subprocess.Popen[bytes], float]]:
    began = time.monotonic()
    process = _begin(command, checkout, environment, home)
    try:
        yield process, began
    finally:
        _end(process, END_SECONDS, stop=True)


def _begin(command: list[str], checkout: Path, environment: Mapping[str, str], home: Path) -> subprocess.Popen[bytes]:
    """A group of its own, so that what a shell started ends with it."""
    told = inherited_environment(dict(environment))
    for name in ("PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL"):
        told.pop(name, None)
    with (home / "start.log").open("ab") as log:
        return subprocess.Popen(
            command, cwd=checkout, env=told, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )


def _await(condition: Callable[[], bool], process: subprocess.Popen[bytes], home: Path) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > until:
            said = (home / "start.log").read_text(errors="replace")[-2_000:]
            raise SpeedFailed(f"It did not start: {said}")
        time.sleep(LOOK_SECONDS)


def _end(process: subprocess.Popen[bytes], patience: float, *, stop: bool) -> None:
    if stop and process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise SpeedFailed(f"{json.dumps(process.args)} did not end within {patience:g} s.") from None
