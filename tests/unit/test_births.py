"""Processes that are forked from one that has loaded what they share are as good as any others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.stack import births as module
from app.stack.births import FORKABLE, Births, Process
from app.stack.instance import end_groups, start_mark
from app.stack.programs import PROJECT
from config.settings import Settings, load_settings

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux alone"),
]

# What it is asked to do stands behind its name: it tells who it is, sleeps, ends with a code, or fails.
MODULE = """
import json, os, random, sys, time, uuid
import app.factory

what = sys.argv[1]
if what == "tell":
    told = {"pid": os.getpid(), "session": os.getsid(0), "cwd": os.getcwd(), "a": os.environ.get("A")}
    told |= {"argv": sys.argv[1:], "random": random.random(), "stdin": sys.stdin.read(), "shared": app.factory.__name__}
    print(json.dumps(told | {"comm": open("/proc/self/comm").read().strip()}), flush=True)
if what in ("tell", "sleep"):
    time.sleep(600)
sys.exit(int(what))
"""


def wait_for(condition: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "forked_for_a_test.py").write_text(MODULE)
    settings = load_settings({"LINESIDE_HOME": str(tmp_path / "home")})
    settings.metrics_dir.mkdir(parents=True)
    return settings


@pytest.fixture
def births(settings: Settings, tmp_path: Path) -> Iterator[Births]:
    path = os.pathsep.join([str(PROJECT), str(tmp_path)])
    made = Births(settings, {"PYTHONPATH": path, "A": "b"}, forks=True)
    yield made
    made.close()


def command(what: str) -> list[str]:
    return [*FORKABLE, "forked_for_a_test", what]


def told(settings: Settings, name: str) -> dict[str, object]:
    path = settings.log_dir / f"{name}.log"
    wait_for(lambda: path.exists() and path.read_text().endswith("\n"))
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_each_is_a_process_of_its_own_that_finds_what_any_other_would(births: Births, settings: Settings) -> None:
    processes = {name: births.begin(name, command("tell")) for name in ("one", "two")}

    found = {name: told(settings, name) for name in processes}
    end_groups([process.pid for process in processes.values()], 5.0)

    for name, process in processes.items():
        expected = {"pid": process.pid, "session": process.pid, "cwd": str(settings.home), "a": "b", "argv": ["tell"]}
        expected |= {"stdin": "", "shared": "app.factory", "comm": f"lineside-{name}"}
        assert found[name] == expected | {"random": found[name]["random"]}
    assert found["one"]["random"] != found["two"]["random"]
    assert [process.wait() for process in processes.values()] == [-signal.SIGTERM] * 2


@pytest.mark.parametrize("code", [0, 3])
def test_how_it_ended_is_seen(births: Births, code: int) -> None:
    assert births.begin("ends", command(str(code))).wait() == code


def test_one_that_fails_says_so_in_its_own_log(births: Births, settings: Settings) -> None:
    process = births.begin("fails", [*FORKABLE, "there_is_no_such_module"])

    assert process.wait() == 1
    assert "there_is_no_such_module" in (settings.log_dir / "fails.log").read_text()


def test_where_the_nursery_is_killed_its_processes_are_watched_and_the_next_one_starts(births: Births) -> None:
    before = births.begin("before", command("sleep"))
    (nursery,) = nurseries_of(os.getpid())
    os.kill(nursery, signal.SIGKILL)
    wait_for(lambda: nurseries_of(os.getpid()) == [])

    assert before.poll() is None
    after = births.begin("after", command("sleep"))
    assert (before.poll(), after.poll()) == (None, None)

    end_groups([before.pid, after.pid], 5.0)
    assert (before.wait(), after.wait()) == (1, -signal.SIGTERM)


def test_a_nursery_that_does_not_answer_is_replaced_and_begins_nothing_afterwards(
    births: Births, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BIRTH_SECONDS", 0.5)
    births.home_is_ours()
    (silent,) = nurseries_of(os.getpid())
    os.kill(silent, signal.SIGSTOP)
    monkeypatch.setattr(module.Nursery, "begin", once_short(module.Nursery.begin, monkeypatch))

    process = births.begin("late", command("tell"))

    assert told(settings, "late")["pid"] == process.pid
    assert start_mark(silent) is None
    assert len(nurseries_of(os.getpid())) == 1
    end_groups([process.pid], 5.0)


def once_short(begin: Callable[..., Process], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Process]:
    """The second nursery gets the time that it needs to load."""

    def beginning(*arguments: Any) -> Process:
        try:
            return begin(*arguments)
        finally:
            monkeypatch.setattr(module, "BIRTH_SECONDS", 60.0)

    return beginning


def test_what_is_no_python_of_ours_is_started_as_any_program(births: Births, settings: Settings) -> None:
    process = births.begin("echo", ["/bin/sh", "-c", "echo $A; exit 4"])

    assert process.wait() == 4
    assert (settings.log_dir / "echo.log").read_text() == "b\n"


def test_whoever_is_killed_leaves_processes_behind_and_no_nursery(settings: Settings, tmp_path: Path) -> None:
    """As before: what is left behind is recorded, and the next start ends it."""
    script = (
        "import sys, time; from app.stack.births import Births; from config.settings import load_settings; "
        "births = Births(load_settings(), {'PYTHONPATH': sys.argv[1]}, forks=True); "
        "print(births.begin('left', sys.argv[2:]).pid, flush=True); time.sleep(600)"
    )
    path = os.pathsep.join([str(PROJECT), str(tmp_path)])
    giver = subprocess.Popen(
        [sys.executable, "-c", script, path, *command("sleep")],
        env=os.environ | {"LINESIDE_HOME": str(settings.home), "PYTHONPATH": str(PROJECT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    with giver:
        assert giver.stdout is not None
        left = int(giver.stdout.readline())
        (nursery,) = nurseries_of(giver.pid)
        giver.kill()
    wait_for(lambda: start_mark(nursery) is None)

    assert start_mark(left) is not None
    end_groups([left], 5.0)


def nurseries_of(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task").glob("*/children")
    found = [int(pid) for one in children for pid in one.read_text().split()]
    return [pid for pid in found if start_mark(pid) and "app.stack.nursery" in Path(f"/proc/{pid}/cmdline").read_text()]
