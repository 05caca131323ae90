"""Programs beside the product's own: the practice ERP, the load, and the yardsticks' servers and workers."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import urllib3

from app.bench.speed.load import LoadPlan
from app.stack.programs import PROJECT
from config.settings import inherited_environment

START_SECONDS = 60.0
END_SECONDS = 15.0
LOAD_SECONDS = 900.0


class SpeedFailed(Exception):
    """A run cannot be measured; the text says what failed and what it said last."""


@contextmanager
def program(
    arguments: Sequence[str],
    log: Path,
    environment: Mapping[str, str] | None = None,
    end_seconds: float = END_SECONDS,
) -> Iterator[subprocess.Popen[str]]:
    """``arguments`` while the block runs, by this Python where they begin with ``-m``; what it prints to standard error
    goes into the log."""
    command = [sys.executable, "-P", *arguments] if arguments[0] == "-m" else list(arguments)
    told = inherited_environment({"PYTHONPATH": str(PROJECT), "PYTHONUNBUFFERED": "1", **(environment or {})})
    with log.open("a") as errors:
        process = subprocess.Popen(
            command,
            env=told,
            cwd=os.sep,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.communicate(timeout=end_seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


class PracticeErp:
    """The running one. Times are of CLOCK_MONOTONIC."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self._http = urllib3.PoolManager(retries=False, timeout=10.0)

    def forget(self) -> None:
        self._http.request("POST", f"{self.url}/forget")

    def figures(self) -> dict[str, Any]:
        told: dict[str, Any] = self._http.request("GET", f"{self.url}/figures").json()
        return told

    def await_documents(
        self, number: int, seconds: float, advance: Callable[[float], None] = lambda share: None
    ) -> float:
        """When the last of so many came. Raises SpeedFailed where they do not come."""
        until = time.monotonic() + seconds
        while (figures := self.figures())["documents"] < number:
            if time.monotonic() > until:
                raise SpeedFailed(f"Only {figures['documents']:,} of {number:,} documents came within {seconds:g} s.")
            time.sleep(0.05)
        return float(figures["last_at"])


@contextmanager
def practice_erp(home: Path) -> Iterator[PracticeErp]:
    with program(["-m", "app.bench.speed.practice_erp"], home / "practice-erp.log") as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line.strip().isdigit():
            raise SpeedFailed(f"The practice ERP did not start: {_end_of(home / 'practice-erp.log')}")
        yield PracticeErp(int(line))


def await_condition(condition: Callable[[], bool], what: str, log: Path, seconds: float = START_SECONDS) -> None:
    """Until it is there. Raises SpeedFailed."""
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            raise SpeedFailed(f"Not there after {seconds:g} s: {what}. {_end_of(log)}")
        time.sleep(0.05)


def start_load(home: Path, plan: LoadPlan) -> subprocess.Popen[str]:
    """The load begins at once; ``end_load`` waits for what came of it."""
    with (home / "load.log").open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.bench.speed.load"],
            env=inherited_environment({"PYTHONPATH": str(PROJECT)}),
            cwd=os.sep,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(asdict(plan)))
    process.stdin.close()
    process.stdin = None
    return process


def end_load(home: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    """What came of it. Raises SpeedFailed where the load failed, or an answer was no success."""
    try:
        said, _ = process.communicate(timeout=LOAD_SECONDS)
    except BaseException:
        process.kill()
        process.wait()
        raise
    if process.returncode:
        raise SpeedFailed(f"The load failed: {_end_of(home / 'load.log')}")
    told: dict[str, Any] = json.loads(said)
    bad = {status: count for status, count in told["statuses"].items() if not 200 <= int(status) < 300}
    if bad:
        raise SpeedFailed(f"Answers that are none: {bad}")
    return told


def load(home: Path, plan: LoadPlan) -> dict[str, Any]:
    return end_load(home, start_load(home, plan))


def request(method: str, path: str, headers: Mapping[str, str], body: bytes) -> str:
    """A whole request, as a LoadPlan takes it."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return base64.b64encode("\r\n".join(lines).encode() + b"\r\n\r\n" + body).decode()


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2_000:] if log.exists() else "it said nothing"
