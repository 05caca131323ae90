"""docs/tutorial-a-plants-csv.md as a newcomer types it: every command of the page, in its order, in a checkout."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.flow.demo_run import free_ports

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(300)]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "tutorial-a-plants-csv.md").read_text("utf-8")
UP = "lineside up"
POSTED_SECONDS = 120.0


@dataclass(frozen=True)
class Newcomer:
    """A terminal in a checkout of its own."""

    checkout: Path
    environment: dict[str, str]

    def types(self, commands: str, code: int = 0) -> str:
        """What the last of these commands prints; each must end well, and the last with this exit code."""
        done = subprocess.run(
            ["bash", "-euc", commands],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, f"{commands}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture
def home() -> Iterator[Path]:
    """A short one: the embedded broker's socket stands in it, whose path has a bound."""
    with tempfile.TemporaryDirectory(prefix="ls-", ignore_cleanup_errors=True) as path:
        yield Path(path)


@pytest.fixture
def newcomer(tmp_path: Path, home: Path) -> Newcomer:
    checkout = tmp_path / "checkout"
    for folder in ("app", "config", "mappings", "tasks", "tests/contract", "tests/golden"):
        shutil.copytree(ROOT / folder, checkout / folder)  # with what is compiled, which saves half a minute
    for file in ("pyproject.toml", "Procfile"):
        shutil.copy(ROOT / file, checkout)
    programs = checkout / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name, arguments in (("lineside", "-P -m app.cli"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    web, flower = free_ports(2)
    environment = {**os.environ, "HOME": str(home), "PYTHONPATH": str(checkout)}
    environment |= {"LINESIDE_PORT": str(web), "LINESIDE_FLOWER_PORT": str(flower), "LINESIDE_BROKER_URL": ""}
    environment |= {"LINESIDE_DATABASE_URL": "", "LINESIDE_WEB_WORKERS": "1", "LINESIDE_WORK_PROCESSES": "1"}
    return Newcomer(checkout, environment)


def blocks() -> list[str]:
    """The indented commands of the page, a block each."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
    return [textwrap.dedent(block).strip() for block in found]


@pytest.fixture
def running(newcomer: Newcomer) -> Iterator[list[subprocess.Popen[bytes]]]:
    """What was started; ended as Ctrl-C would, whatever happens."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(60)


def test_the_tutorial_leads_from_a_sample_to_posted(
    newcomer: Newcomer, running: list[subprocess.Popen[bytes]], home: Path
) -> None:
    variables, *steps = blocks()
    at = steps.index(UP)
    before, (posted, changed) = steps[:at], steps[at + 1 :]

    said = [newcomer.types(f"{variables}\n{step}") for step in before]
    with (home / "up.log").open("wb") as log:
        shell = ["bash", "-euc", f"{variables}\nexec {UP}"]
        running.append(subprocess.Popen(shell, cwd=newcomer.checkout, env=newcomer.environment, stdout=log, stderr=log))
    wait_for_files(home / "lineside-tutorial" / "outbox" / "old-erp", 2, home / "up.log")
    told = newcomer.types(f"{variables}\n{posted}")
    difference = newcomer.types(f"{variables}\n{changed}", code=1)

    assert "becomes inventory.moved.v1" in said[2]
    assert "can be used" in said[3]
    assert "old-erp: its document needs item BOX-5" in said[4]
    assert "Postings\n  old-erp: " in told
    assert ";P400;311;BOX-5;12,5;EA;LAGER-1;" in told
    assert "inventory.moved.v1 lot: 2" in difference
    assert "L-0042 -> l-0042" in difference


def wait_for_files(folder: Path, number: int, log: Path) -> None:
    """The page says: some seconds later. With a bound, and what was logged where it is not so."""
    end = time.monotonic() + POSTED_SECONDS
    while len(list(folder.glob("*.csv"))) < number:
        if time.monotonic() >= end:
            pytest.fail(f"not posted within {POSTED_SECONDS:g} s\n{log.read_text()}")
        time.sleep(0.2)
