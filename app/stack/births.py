"""How the supervisor's processes come into the world: by the nursery where they are Python's, else as any program."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from honcho.process import Popen

from app.stack.instance import kill_group, start_mark
from app.stack.output_files import open_output, output_path
from app.stack.programs import PROJECT
from config.settings import Settings, inherited_environment

BIRTH_SECONDS = 60.0
END_SECONDS = 10.0
POLL_SECONDS = 0.02
NURSERY = "app.stack.nursery"
FORKABLE = (sys.executable, "-P", "-m")
GONE = 1
"""The exit code of a process that ended when nobody was left to see how."""


class Process(Protocol):
    """What is watched of a process; as ``subprocess.Popen`` has it."""

    @property
    def pid(self) -> int: ...

    def poll(self) -> int | None: ...

    def wait(self) -> int: ...


class Births:
    """``environment``: what every process finds there besides the caller's own and the settings' places. With
    ``forks`` the nursery begins to load at once, and nothing in the home is touched before ``begin``; ``nursery`` is
    the module that is one."""

    def __init__(
        self, settings: Settings, environment: Mapping[str, str], *, forks: bool = False, nursery: str = NURSERY
    ) -> None:
        self._settings = settings
        self._module = nursery
        self.environment = inherited_environment({"PYTHONPATH": str(PROJECT), **settings.anchored(), **environment})
        self._nursery = Nursery(nursery, self.environment) if forks and can_fork() else None

    def home_is_ours(self) -> None:
        """Lets the nursery load the rest; ``begin`` says so too."""
        if self._nursery is not None:
            with suppress(OSError):  # it has ended; whoever begins a process starts another
                self._nursery.home_is_ours()

    def begin(self, name: str, command: Sequence[str]) -> Process:
        """Raises OSError where the system gives no process, memory or file for it."""
        with open_output(self._settings.log_dir, name) as output_file:
            if self._nursery is not None and tuple(command[:3]) == FORKABLE:
                return self._fork(name, command[3:])
            process: Process = Popen(
                list(command),
                shell=False,
                stdin=subprocess.DEVNULL,
                stdout=output_file,
                stderr=subprocess.STDOUT,
                # Not the caller's directory: a package there that is called as one of ours would be taken for it.
                cwd=self._settings.home,
                env=self.environment,
            )
            return process

    def _fork(self, name: str, arguments: Sequence[str]) -> Process:
        """Where the nursery has ended, another is asked once."""
        output = output_path(self._settings.log_dir, name)
        assert self._nursery is not None
        with suppress(OSError):
            return self._nursery.begin(name, arguments, output, self._settings.home)
        self._nursery.give_up()
        self._nursery = Nursery(self._module, self.environment)
        return self._nursery.begin(name, arguments, output, self._settings.home)

    def close(self) -> None:
        """No more births; what was born lives on."""
        if self._nursery is not None:
            self._nursery.close()
            self._nursery = None


@contextmanager
def forked_births(settings: Settings, environment: Mapping[str, str]) -> Iterator[Births]:
    births = Births(settings, environment, forks=True)
    try:
        yield births
    finally:
        births.close()


def can_fork() -> bool:
    """Elsewhere libraries of the system do not bear a fork without a new program."""
    return sys.platform == "linux"


class Nursery:
    """The supervisor's side of ``app.stack.nursery``: ``module`` is that, or another like it."""

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this very Python
            [*FORKABLE, module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=os.sep,
            env=environment,
            start_new_session=True,
        )
        self._is_told = False
        self._born: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._ended: dict[int, int] = {}
        self._reader = threading.Thread(target=self._read, name="nursery", daemon=True)
        self._reader.start()

    @property
    def is_over(self) -> bool:
        return not self._reader.is_alive()

    def home_is_ours(self) -> None:
        if not self._is_told:
            self._is_told = True
            self._write(b"\n")

    def begin(self, name: str, arguments: Sequence[str], output: Path, cwd: Path) -> Process:
        self.home_is_ours()
        order = {"name": name, "arguments": list(arguments), "output": str(output), "cwd": str(cwd)}
        self._write(json.dumps(order).encode() + b"\n")
        until = time.monotonic() + BIRTH_SECONDS
        while True:
            try:
                pid = self._born.get(timeout=POLL_SECONDS)
            except queue.Empty:
                if self.is_over or time.monotonic() > until:
                    raise OSError("the nursery, which starts every process, has ended or does not answer") from None
            else:
                return _Forked(self, pid)

    def _write(self, line: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()

    def ended(self, pid: int) -> int | None:
        return self._ended.get(pid)

    def close(self) -> None:
        if not self._is_told:
            self._process.kill()  # it has begun nothing yet, and would not look up before it has loaded all
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(END_SECONDS)

    def give_up(self) -> None:
        """It did not answer an order: end it, and whatever it began all the same, which nobody would watch."""
        self._process.kill()
        self.close()
        with suppress(queue.Empty):
            while True:
                kill_group(self._born.get_nowait())

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as news:
            for line in news:
                told = json.loads(line)
                if "born" in told:
                    self._ended.pop(told["born"], None)  # of an earlier process with the same number
                    self._born.put(told["born"])
                else:
                    self._ended[told["ended"]] = told["code"]


class _Forked:
    """A child of the nursery. Where that has ended before it, its end is seen from outside."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self._nursery = nursery
        self.pid = pid
        self._mark = start_mark(pid)

    def poll(self) -> int | None:
        code = self._nursery.ended(self.pid)
        if code is None and self._nursery.is_over and (self._mark is None or start_mark(self.pid) != self._mark):
            return GONE
        return code

    def wait(self) -> int:
        until = time.monotonic() + END_SECONDS
        while (code := self.poll()) is None:
            if time.monotonic() > until:
                raise TimeoutError(f"process {self.pid} has not ended")
            time.sleep(POLL_SECONDS)
        return code
