"""Look into the drop folders, again and again, and take what is whole."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from app.inbox.claim import new_token
from app.intake.context import Intake
from app.intake.folders import DropFolder, sound_name
from app.intake.hold import FolderLost, hold_folder
from app.intake.rows_in import ERRORS_ENDING
from app.intake.take import begin, take
from config.settings import Settings
from config.topology import Topology

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 0.5
TROUBLE_SECONDS = 2.0
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class Watcher:
    """Takes the files of every source that drops some. Of several watchers one works in a folder at a time."""

    intake: Intake
    folders: tuple[DropFolder, ...]
    token: str

    def look(self) -> int:
        """One look into every folder; returns how many files were taken. A file that the disk does not give or take
        is left for the next look, and the first such error is raised when all others have had their turn."""
        failures: list[OSError] = []
        taken = sum(self._look_into(folder, failures) for folder in self.folders)
        if failures:
            raise failures[0]
        return taken

    def _look_into(self, folder: DropFolder, failures: list[OSError]) -> int:
        try:
            folder.make()
            left_over, whole = _left_over(folder), folder.whole_files(time.time())
            if left_over or whole:
                self._hold(folder)
        except FolderLost:
            return 0
        except OSError as error:
            failures.append(error)
            return 0
        taken = 0
        for path in [*left_over, *whole]:
            try:
                self._hold(folder)
                take(self.intake, folder, path if path.parent == folder.working else begin(folder, path), self.token)
                taken += 1
            except FolderLost:
                break
            except OSError as error:
                log.warning("file_must_wait", source=folder.source.code, file=sound_name(path.name), error=str(error))
                failures.append(error)
        return taken

    def _hold(self, folder: DropFolder) -> None:
        with self.intake.store.writing() as session:
            hold_folder(session, folder.source, self.token, self.intake.clock(), self.intake.lease_seconds)


def _left_over(folder: DropFolder) -> list[Path]:
    """Files that were begun and not ended; the list of a file's bad rows is none, but a dropped one may be named so."""
    return sorted(
        path
        for path in folder.working.iterdir()
        if path.is_file() and not (path.name.endswith(ERRORS_ENDING) and _owner_of(path).exists())
    )


def _owner_of(errors_path: Path) -> Path:
    return errors_path.with_name(errors_path.name.removesuffix(ERRORS_ENDING))


def watcher_for(settings: Settings, topology: Topology, intake: Intake) -> Watcher:
    folders = tuple(
        DropFolder(source, settings.drop_dir / source.code)
        for source in topology.sources.values()
        if source.intake == "drop"
    )
    for folder in folders:
        with suppress(OSError):  # it is made at each look, and said there
            folder.make()
    return Watcher(intake, folders, new_token())


def watch(watcher: Watcher, stop: threading.Event) -> None:
    """Look until told to stop, into each folder by a thread of its own: a share that hangs, a disk that fails or a file
    of a million rows holds up no other source. A file under work when told to stop is read on for a minute at most;
    its rows so far are kept."""
    alone = [Watcher(watcher.intake, (folder,), watcher.token) for folder in watcher.folders]
    threads = [threading.Thread(target=_watch_one, args=(one, stop), daemon=True) for one in alone]
    for thread in threads:
        thread.start()
    stop.wait()
    until = time.monotonic() + STOP_SECONDS
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))


def _watch_one(watcher: Watcher, stop: threading.Event) -> None:
    """A database or disk that fails is waited for: files stay where they are meanwhile. Whatever else goes wrong ends
    the process, so that it is started anew."""
    try:
        while not stop.is_set():
            try:
                taken = watcher.look()
            except (DBAPIError, PoolTimeout, OSError) as error:
                source = watcher.folders[0].source.code
                log.warning("intake_must_wait", source=source, error=type(error).__name__)
                taken = 0
                stop.wait(TROUBLE_SECONDS)
            if not taken:
                stop.wait(LOOK_EVERY_SECONDS)
    finally:
        stop.set()
