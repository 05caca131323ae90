"""A worker whose main process hangs for good ends itself with its children, so that its supervisor starts it anew."""

from __future__ import annotations

import signal
from dataclasses import replace
from pathlib import Path

import pytest
from celery import Celery

from app.inbox.lanes import ensure_lanes
from app.stack import programs
from config.queues import celery_settings
from tests.factories import accept, know_items, move_event
from tests.flow.stack import Stack, running_stack
from tests.reading import states

pytestmark = [pytest.mark.services, pytest.mark.slow]


def start_work(stack: Stack) -> None:
    program = programs.worker(stack.settings, stack.plants, "work")
    stack.launch("work", replace(program, arguments=[*program.arguments, "--include", "tests.flow.standing_still"]))


def stand_still(stack: Stack) -> None:
    app = Celery("test")
    app.conf.update(celery_settings(stack.settings, stack.plants))
    app.control.broadcast("stand_still")
    app.close()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_a_worker_that_stands_still_ends_with_its_children_and_its_successor_goes_on(
    sqlite_template: Path, tmp_path: Path
) -> None:
    (tmp_path / "lineside.db").write_bytes(sqlite_template.read_bytes())
    with running_stack(tmp_path, f"sqlite:///{tmp_path / 'lineside.db'}", "valkey", plants=1) as stack:
        with stack.store.writing() as session:
            ensure_lanes(session, [("TA", 4)])
        know_items(stack.store)
        start_work(stack)
        parent = stack.processes["work"]
        stack.wait_until(lambda: "ready" in (stack.settings.home / "work.log").read_text(), what="the worker's start")
        pool = children(parent.pid)

        stand_still(stack)
        stack.wait_until(lambda: parent.poll() is not None, what="the end of the worker that stands still")
        stack.wait_until(lambda: not any(lives(child) for child in pool), 10, "the end of its children")

        assert pool
        assert parent.poll() == -signal.SIGKILL
        log = (stack.settings.home / "work.log").read_text()
        assert "worker_stands_still" in log
        assert "in stand_still" in log, "the log tells where it stood"
        start_work(stack)
        ids = accept(stack.store, move_event("m1", plant="TA"))
        stack.wait_until(lambda: states(stack.store, *ids) == ["enriched"], what="the work of its successor")
