"""``python -m tests.flow.nursery``: one nursery for the processes of many installations, one after the other.

The product's own loads for one home, and whatever it gives birth to belongs there. To load what a worker needs takes
three seconds of a processor; tests start some fifty workers, so here each child is told its environment.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from app.stack import nursery
from app.stack.births import FORKABLE, Nursery, Process, can_fork
from app.stack.programs import PROJECT
from config.settings import inherited_environment

MODULE = "tests.flow.nursery"


def forked(name: str, command: list[str], environment: Mapping[str, str], home: Path) -> Process | None:
    """Starts it within ``home``, with ``environment`` as the whole of its own, its output behind that in
    ``home/NAME.log``; None where it is no program of Python's, or this system forks none."""
    if tuple(command[: len(FORKABLE)]) != FORKABLE or not can_fork():
        return None
    _environment_of(name, home).write_text(json.dumps(dict(environment)), encoding="utf-8")
    return _for_all().begin(name, command[len(FORKABLE) :], home / f"{name}.log", home)


@cache
def _for_all() -> Nursery:
    """One a test process. Counters that are made when the modules are loaded lie in a folder of no installation's; a
    child's own lie where its environment says."""
    counters = tempfile.mkdtemp(prefix="lineside-nursery-")
    own = {"PYTHONPATH": str(PROJECT), "PROMETHEUS_MULTIPROC_DIR": counters}
    begun = Nursery(MODULE, inherited_environment(own))
    atexit.register(shutil.rmtree, counters, ignore_errors=True)
    atexit.register(begun.close)
    return begun


def _environment_of(name: str, home: Path) -> Path:
    return home / f"{name}.environment.json"


def _take_its_environment(order: nursery.Order) -> None:
    told = _environment_of(order.name, Path(order.cwd))
    os.environ.clear()
    os.environ.update(json.loads(told.read_text(encoding="utf-8")))


if __name__ == "__main__":
    nursery.main(when_born=_take_its_environment)
