"""What is started is watched: started again when it ends by itself, and gone when we are."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.stack.births import Births
from app.stack.instance import AlreadyRunning, Instance, end_groups, start_mark
from app.stack.supervisor import Supervisor
from config.settings import Settings, load_settings

pytestmark = pytest.mark.slow

SLEEPER = [sys.executable, "-c", "import time; time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)",
]
WITH_CHILD = [
    sys.executable,
    "-c",
    "import subprocess, sys, time; "
    "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
    "print(child.pid, flush=True); time.sleep(600)",
]
NOTES_ITS_END = """
import signal, sys, time

def note(*_):
    with open({file!r}, "a") as order:
        order.write({name!r})
    sys.exit()

signal.signal(signal.SIGTERM, note)
print("up", flush=True)
time.sleep(600)
"""


def wait_for(condition: Callable[[], object], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.02)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"LINESIDE_HOME": str(tmp_path / "home")})


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(settings: Settings, said: list[str]) -> Iterator[Supervisor]:
    instance = Instance(settings.run_dir)
    instance.acquire()
    made = Supervisor(settings, instance, said.append, Births(settings, {}), ends_last=["broker"])
    yield made
    made.hurry()
    made.stop()


def output(settings: Settings, name: str) -> str:
    path = settings.log_dir / f"{name}.log"
    return path.read_text() if path.exists() else ""


def test_a_killed_process_is_told_and_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start({"web": SLEEPER})
    first = supervisor.pids()["web"]

    os.kill(first, signal.SIGKILL)

    wait_for(lambda: supervisor.pids().get("web", first) != first)
    assert "web ended by itself (killed by SIGKILL)" in said[0]
    assert "web was started again" in said[1]


def test_what_a_failing_process_said_last_is_told(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start({"web": [sys.executable, "-c", "import sys; sys.exit('the port is taken')"]})

    wait_for(lambda: said)

    assert "exit code 1" in said[0]
    assert "the port is taken" in said[0]
    assert supervisor.what_failed() == "web: the port is taken"


def test_a_program_that_is_not_there_is_told_and_harms_no_other(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.start({"web": ["/no/such/program"], "work": SLEEPER})

    assert "web could not be started" in said[0]
    assert supervisor.pids().keys() == {"work"}


def test_a_process_that_fails_again_and_again_is_tried_ever_more_rarely(
    supervisor: Supervisor, said: list[str]
) -> None:
    supervisor.start({"web": [sys.executable, "-c", "import sys; sys.exit(3)"]})

    wait_for(lambda: len([line for line in said if "ended by itself" in line]) == 3)

    pauses = [line.split("started again in ")[1].split(" s.")[0] for line in said if "ended by itself" in line]
    assert pauses == ["0.5", "1", "2"]


def test_the_end_leaves_no_process_and_no_child_of_one(supervisor: Supervisor, settings: Settings) -> None:
    supervisor.start({"work": WITH_CHILD})
    wait_for(lambda: output(settings, "work"))
    leader, child = supervisor.pids()["work"], int(output(settings, "work"))

    supervisor.stop()

    assert start_mark(leader) is None
    wait_for(lambda: start_mark(child) is None)


def test_a_process_that_heeds_no_signal_is_killed_and_named(supervisor: Supervisor, settings: Settings) -> None:
    supervisor.start({"post": STUBBORN})
    wait_for(lambda: output(settings, "post"))
    pid = supervisor.pids()["post"]

    supervisor.hurry()
    killed = supervisor.stop()

    assert killed == ["post"]
    assert start_mark(pid) is None


def test_the_broker_ends_after_all_that_need_it(supervisor: Supervisor, settings: Settings, tmp_path: Path) -> None:
    order = tmp_path / "order"
    commands = {
        name: [sys.executable, "-c", NOTES_ITS_END.format(file=str(order), name=f"{name} ")]
        for name in ("broker", "work")
    }
    supervisor.start(commands)
    wait_for(lambda: output(settings, "broker") and output(settings, "work"))

    supervisor.stop()

    assert order.read_text() == "work broker "


def test_a_second_instance_is_refused_with_the_firsts_pid(settings: Settings) -> None:
    first = Instance(settings.run_dir)
    first.acquire()

    with pytest.raises(AlreadyRunning, match=f"pid {os.getpid()}"):
        Instance(settings.run_dir).acquire()

    first.release()
    second = Instance(settings.run_dir)
    second.acquire()
    second.release()


def test_what_a_killed_run_left_behind_is_found_and_ended(settings: Settings) -> None:
    instance = Instance(settings.run_dir)
    instance.acquire()
    orphan = subprocess.Popen(SLEEPER, start_new_session=True)
    instance.record({"web": orphan.pid})

    left = Instance(settings.run_dir).leftovers()
    end_groups([process.pid for process in left], 10)

    assert [process.name for process in left] == ["web"]
    assert orphan.wait(5) == -signal.SIGTERM
    assert Instance(settings.run_dir).leftovers() == []
    instance.release()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells a dead leader's children")
def test_children_whose_leader_is_gone_are_found_too(settings: Settings) -> None:
    instance = Instance(settings.run_dir)
    instance.acquire()
    leader = subprocess.Popen(WITH_CHILD, start_new_session=True, stdout=subprocess.PIPE, text=True)
    assert leader.stdout is not None
    child = int(leader.stdout.readline())
    instance.record({"work": leader.pid})
    leader.kill()
    leader.wait(5)
    leader.stdout.close()

    left = Instance(settings.run_dir).leftovers()
    end_groups([process.pid for process in left], 10)

    assert [process.name for process in left] == ["work"]
    wait_for(lambda: start_mark(child) is None)
    instance.release()


def test_a_stranger_with_a_recorded_pid_is_left_alone(settings: Settings) -> None:
    instance = Instance(settings.run_dir)
    instance.acquire()
    record = settings.run_dir / "processes.json"
    record.write_text(f'[["web", {os.getpid()}, "another start"]]')

    assert instance.leftovers() == []
    instance.release()


@pytest.mark.parametrize("text", ["", "{", "[[1]]", '{"a": 1}', '[["web", "x", 1]]'])
def test_a_damaged_record_stops_no_start(settings: Settings, text: str) -> None:
    settings.run_dir.mkdir(parents=True)
    (settings.run_dir / "processes.json").write_text(text)

    assert Instance(settings.run_dir).leftovers() == []
