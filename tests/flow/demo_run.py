"""`lineside demo` as a person starts it: a process of its own, in a home of its own, on ports of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from config.topology_file import PACKAGED

PRACTICE_PORTS = (8300, 8310, 8311, 8312)
README = Path(__file__).resolve().parents[2] / "README.md"
START_SECONDS = 420.0
END_SECONDS = 60.0


@dataclass(frozen=True)
class Servers:
    """What a run uses of the machine's services; empty: the database and the broker that Lineside brings along."""

    database_url: str = ""
    broker_url: str = ""


def free_ports(number: int) -> list[int]:
    """All held at once, so that no two are the same."""
    with ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(number)]
        return [server.getsockname()[1] for server in servers]


def demo_environment(home: Path, servers: Servers) -> dict[str, str]:
    web, flower, *practice = free_ports(2 + len(PRACTICE_PORTS))
    text = PACKAGED.read_text(encoding="utf-8")
    for usual, own in zip(PRACTICE_PORTS, practice, strict=True):
        text = text.replace(f":{usual}", f":{own}")
    home.mkdir(parents=True, exist_ok=True)
    config = home / "topology.yaml"
    config.write_text(text, encoding="utf-8")
    return {
        "LINESIDE_HOME": str(home),
        "LINESIDE_CONFIG": str(config),
        "LINESIDE_PORT": str(web),
        "LINESIDE_FLOWER_PORT": str(flower),
        "LINESIDE_DATABASE_URL": servers.database_url,
        "LINESIDE_BROKER_URL": servers.broker_url,
    }


def lineside(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """One command beside the running installation."""
    command = [sys.executable, "-P", "-m", "app.cli", *arguments]
    return subprocess.run(
        command, env=_inherited(environment), capture_output=True, text=True, timeout=120, check=False
    )


def looked_up(environment: dict[str, str], *arguments: str) -> Result:
    """A command that only reads, within this process: to start one of its own takes twenty times as long."""
    return CliRunner().invoke(main, list(arguments), env=environment)


def _inherited(environment: dict[str, str]) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2]), **environment}


class DemoRun:
    """One run. ``report`` is what ``--json`` printed; ``said`` the lines for the person at the terminal."""

    def __init__(self, home: Path, servers: Servers, *options: str) -> None:
        self.home = home
        self.environment = demo_environment(home, servers)
        self.said: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "demo", "--json", *options],
            env=_inherited(self.environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.report: dict[str, Any] = self._read_report()

    @property
    def url(self) -> str:
        return str(self.report["addresses"]["console"]).rstrip("/")

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.said.append(line.rstrip())

    def _read_report(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        alarm = threading.Timer(START_SECONDS, self._process.terminate)
        alarm.start()
        line = self._process.stdout.readline()
        alarm.cancel()
        if not line:
            self.end()
            pytest.fail(f"the demonstration printed no report:\n{self.account()}")
        report: dict[str, Any] = json.loads(line)
        return report

    def account(self) -> str:
        logs = [f"--- {path.name}\n{path.read_text()[-1500:]}" for path in sorted(self.home.glob("log/*.log"))]
        return "\n".join([*self.said, *logs])

    def wait_until(self, condition: Callable[[], object], seconds: float = 60.0, what: str = "the condition") -> None:
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() >= end:
                pytest.fail(f"{what} did not come true within {seconds:g} s\n{self.account()}")
            time.sleep(0.1)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """The exit code after this signal."""
        if self._process.poll() is None:
            self._process.send_signal(number)
        code = self._process.wait(END_SECONDS)
        self._listener.join(10)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()
        return code

    def wait(self) -> int:
        """The exit code of a run that ends by itself."""
        code = self._process.wait(END_SECONDS)
        self.end()
        return code


def readme_example(start: str, run: DemoRun) -> str:
    """The README's indented example that begins so, for this run's home and port."""
    lines = iter(README.read_text(encoding="utf-8").splitlines())
    first = next(line for line in lines if line.startswith("    " + start))
    rest = takewhile(lambda line: line.startswith("    "), lines)
    text = "\n".join(line.strip() for line in (first, *rest))
    return text.replace("~/.lineside", f"'{run.home}'").replace("http://127.0.0.1:8080", run.url)


def in_shell(text: str, run: DemoRun) -> str:
    """What a shell prints for these commands; ``KEY`` is that of the source mes-p100."""
    environment = {**os.environ, "KEY": run.report["first_run"]["keys"]["mes-p100"]}
    done = subprocess.run(
        ["bash", "-euc", text], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


def processes_of(home: Path) -> dict[int, str]:
    """Every process that was started for this home, also those that nobody watches, from /proc."""
    mark = f"LINESIDE_HOME={home}\0".encode()
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if mark in entry.joinpath("environ").read_bytes():
                found[int(entry.name)] = entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()[:120]
        except OSError:
            continue
    return found


def copy_built_erp(cache: Path, home: Path) -> None:
    """The ERP is built once for all tests."""
    home.joinpath("cache").mkdir(parents=True)
    for built in cache.glob("erp-*.sqlite"):
        shutil.copy(built, home / "cache")
