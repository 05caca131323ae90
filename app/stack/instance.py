"""One installation runs once: a lock says that it does, a record says which processes are its own."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

POLL_SECONDS = 0.05
LEFTOVER_PATIENCE_SECONDS = 10.0


class AlreadyRunning(Exception):
    """Another Lineside holds this home; the text names it."""


@dataclass(frozen=True)
class Recorded:
    """A process that was started for this installation. ``started`` tells it from a later one with the same pid."""

    name: str
    pid: int
    started: str


def start_mark(pid: int) -> str | None:
    """When the process began, in words of the system's own; None when there is no such process, or only its corpse."""
    if (fields := _stat_fields(Path(f"/proc/{pid}"))) is not None:
        return None if fields[0] in "ZX" else fields[19]
    if Path("/proc/self/stat").exists():
        return None
    # Without /proc (macOS) the system's own listing tells the same.
    listing = subprocess.run(  # noqa: S603 - a fixed command and a number
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        timeout=5,
        check=False,
    )
    return listing.stdout.strip() or None


def _stat_fields(process: Path) -> list[str] | None:
    """What /proc tells after the process's name: state, parent, group, session, ..."""
    try:
        return process.joinpath("stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    except OSError:
        return None


def _lives_on(process: Recorded) -> bool:
    """Whether the process, or a child of it in the session that it led, is still there."""
    mark = start_mark(process.pid)
    if mark is not None:
        return mark == process.started
    stats = (_stat_fields(entry) for entry in Path("/proc").glob("[0-9]*"))
    return any(fields is not None and fields[3] == str(process.pid) and fields[0] not in "ZX" for fields in stats)


class Instance:
    """The right to run in one home, and the record of what was started there."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir
        self._lock: IO[str] | None = None
        self._record = run_dir / "processes.json"

    def acquire(self) -> None:
        """Raises AlreadyRunning when another process holds this home. A killed one holds nothing."""
        # Payloads and keys' hashes lie in the home; whoever wants others to drop files there makes it himself.
        self._run_dir.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._run_dir.mkdir(exist_ok=True, mode=0o700)
        lock = (self._run_dir / "lineside.pid").open("a+", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise AlreadyRunning(
                f"Lineside runs in {self._run_dir.parent} already (pid {holder}). "
                "Stop it with Ctrl-C or `kill PID`, or give this one its own LINESIDE_HOME."
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        self._lock = lock

    def leftovers(self) -> list[Recorded]:
        """Processes of a run that was killed, as far as they still live."""
        try:
            entries: Any = json.loads(self._record.read_text(encoding="utf-8"))
            recorded = [Recorded(str(name), int(pid), str(started)) for name, pid, started in entries]
        except (OSError, ValueError, TypeError):
            return []
        return [process for process in recorded if _lives_on(process)]

    def record(self, processes: Mapping[str, int]) -> None:
        """For the start after a ``kill -9`` of this run. On a full disk the last record stays: what is missing in it is
        the next record's, and a process that runs must not be taken for one that could not be started."""
        entries = [[name, pid, mark] for name, pid in processes.items() if (mark := start_mark(pid)) is not None]
        draft = self._record.with_suffix(".new")
        with suppress(OSError):
            draft.write_text(json.dumps(entries), encoding="utf-8")
            draft.replace(self._record)

    def release(self) -> None:
        """Everything that was recorded has ended."""
        self._record.unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.truncate(0)
            self._lock.close()
            self._lock = None


def end_groups(pids: Iterable[int], patience_seconds: float, hurry: Callable[[], bool] = lambda: False) -> list[int]:
    """Ask each process to end, wait, then kill what is left of its group; returns those that had to be killed.

    Each pid leads its own process group. Only leaders are asked: they know how to end their children. ``hurry`` says
    whether to wait no longer.
    """
    asked = list(pids)
    for pid in asked:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + patience_seconds
    alive = [pid for pid in asked if start_mark(pid) is not None]
    while alive and time.monotonic() < deadline and not hurry():
        time.sleep(POLL_SECONDS)
        alive = [pid for pid in alive if start_mark(pid) is not None]
    for pid in asked:
        kill_group(pid)
    return alive


def kill_group(leader: int) -> None:
    """End whatever is left of the group at once; a group that has ended already is as good."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
