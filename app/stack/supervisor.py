"""Start processes, watch them, start again what ends by itself, and leave none behind."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.stack.births import Births, Process
from app.stack.instance import Instance, end_groups, kill_group
from app.stack.output_files import keep_within_bounds, last_line, output_path
from config.settings import Settings

Say = Callable[[str], None]

WATCH_SECONDS = 0.1
POLL_SECONDS = 0.02
ROTATE_SECONDS = 30.0
# After this long a process counts as well again, and its next failure starts from the shortest pause.
SETTLED_SECONDS = 30.0
STOP_PATIENCE_SECONDS = 12.0


@dataclass(frozen=True)
class Pauses:
    """How long a process that ended by itself stays down: ``first_seconds``, then twice as long each time."""

    first_seconds: float = 0.5
    longest_seconds: float = 30.0


USUAL_PAUSES = Pauses()


@dataclass
class Watched:
    """One process. ``pause_seconds`` grows with each failure in a row; ``again_at`` is set while it is down."""

    name: str
    command: Sequence[str]
    pause_seconds: float
    running: Process | None = None
    started_at: float = 0.0
    again_at: float | None = None
    failures: int = 0


# Of a log's last line, on a terminal; a line of JSON with a traceback in it would fill the screen.
SAID_CHARACTERS = 120


class Supervisor:
    """Runs commands until ``stop``. Each leads a process group of its own, so a terminal's Ctrl-C reaches only us and
    the end is orderly. ``ends_last`` are the processes that the others need to end well."""

    def __init__(
        self,
        settings: Settings,
        instance: Instance,
        say: Say,
        births: Births,
        ends_last: Iterable[str],
        pauses: Pauses = USUAL_PAUSES,
    ) -> None:
        self._settings = settings
        self._instance = instance
        self._say = say
        self._births = births
        self._ends_last = frozenset(ends_last)
        self._pauses = pauses
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._hurry = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="supervisor", daemon=True)

    def start(self, commands: Mapping[str, Sequence[str]]) -> None:
        """Start these beside what runs already; returns once each was started or could not be.

        Our own thread starts them: a signal interrupts the main thread at any point, and between a child's birth and
        its being noted it would leave a child that nobody knows.
        """
        with self._lock:
            for name, command in commands.items():
                self._watched[name] = Watched(name, command, self._pauses.first_seconds, again_at=0.0)
        if not self._thread.is_alive():
            self._thread.start()
        while self._thread.is_alive() and any(self._watched[name].again_at == 0.0 for name in commands):
            time.sleep(POLL_SECONDS)

    def pids(self) -> dict[str, int]:
        """The processes that run now."""
        with self._lock:
            return self._pids()

    def what_failed(self) -> str | None:
        """What a process that ended by itself said last; None while none has."""
        with self._lock:
            failed = [name for name, one in self._watched.items() if one.failures]
        return f"{failed[0]}: {last_line(self._settings.log_dir, failed[0])}" if failed else None

    @property
    def has_started(self) -> bool:
        """Whether there was ever anything to end."""
        return bool(self._watched)

    def hurry(self) -> None:
        """Let ``stop`` wait no longer; may be called while it runs."""
        self._hurry.set()

    def stop(self) -> list[str]:
        """End everything, in order, each within its patience; returns the names of those that had to be killed."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        pids = self._pids()
        killed: list[str] = []
        for phase in (pids.keys() - self._ends_last, pids.keys() & self._ends_last):
            stubborn = end_groups([pids[name] for name in phase], STOP_PATIENCE_SECONDS, self._hurry.is_set)
            killed += [name for name in phase if pids[name] in stubborn]
        for watched in self._watched.values():
            if watched.running is not None:
                watched.running.wait()
        self._births.close()
        self._instance.release()
        return sorted(killed)

    def _pids(self) -> dict[str, int]:
        return {name: one.running.pid for name, one in self._watched.items() if one.running is not None}

    def _spawn(self, watched: Watched) -> None:
        """Raises OSError where the system gives no process, memory or file for it."""
        watched.running = self._births.begin(watched.name, watched.command)
        watched.started_at, watched.again_at = time.monotonic(), None
        self._instance.record(self._pids())

    def _watch(self) -> None:
        rotate_at = time.monotonic() + ROTATE_SECONDS
        while not self._ending.wait(WATCH_SECONDS):
            with self._lock:
                for watched in self._watched.values():
                    self._look_after(watched)
            if time.monotonic() >= rotate_at:
                keep_within_bounds(self._settings.log_dir)
                rotate_at = time.monotonic() + ROTATE_SECONDS

    def _look_after(self, watched: Watched) -> None:
        now = time.monotonic()
        if watched.again_at is not None:
            if now >= watched.again_at:
                self._start_one(watched, now)
            return
        if watched.running is None:
            return
        code = watched.running.poll()
        if code is None:
            return
        kill_group(watched.running.pid)  # children of a killed worker would otherwise work on beside the new one
        watched.running = None
        self._note_failure(watched, _manner(code), now)

    def _start_one(self, watched: Watched, now: float) -> None:
        try:
            self._spawn(watched)
        except OSError as error:
            self._note_failure(watched, f"could not be started: {error}", now)
            return
        if watched.failures:
            self._say(f"{watched.name} was started again (pid {self._pids()[watched.name]}).")

    def _note_failure(self, watched: Watched, manner: str, now: float) -> None:
        watched.failures += 1
        settled = now - watched.started_at >= SETTLED_SECONDS
        watched.pause_seconds = self._pauses.first_seconds if settled else watched.pause_seconds
        watched.again_at = now + watched.pause_seconds
        log_dir = self._settings.log_dir
        said = last_line(log_dir, watched.name)
        self._say(
            f"{watched.name} {manner}; it is started again in {watched.pause_seconds:g} s. "
            f"Its log: {output_path(log_dir, watched.name)}" + (f" (last: {said[:SAID_CHARACTERS]})" if said else "")
        )
        watched.pause_seconds = min(self._pauses.longest_seconds, watched.pause_seconds * 2)


def _manner(code: int) -> str:
    how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    return f"ended by itself ({how})"
