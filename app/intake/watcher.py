"""Look into the drop folders, again and again, and take what is whole."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import DBAPIError

from app.dispatch import Dispatcher
from app.inbox.claim import new_token
from app.intake.context import Intake
from app.intake.folders import DropFolder
from app.intake.hold import FolderLost, hold_folder
from app.intake.take import begin, take
from app.store.session import Store
from config.settings import Settings
from config.topology import Topology

log = structlog.get_logger()

LOOK_EVERY_SECONDS = 0.5


@dataclass(frozen=True)
class Watcher:
    """Takes the files of every source that drops some. Of several watchers one works in a folder at a time."""

    intake: Intake
    folders: tuple[DropFolder, ...]
    token: str

    def look(self) -> int:
        """One look into every folder; returns how many files were taken."""
        return sum(self._look_into(folder) for folder in self.folders)

    def _look_into(self, folder: DropFolder) -> int:
        folder.make()
        left_over = sorted(path for path in folder.working.iterdir() if not path.name.endswith(".errors.csv"))
        whole = folder.whole_files(time.time())
        if not (left_over or whole):
            return 0
        try:
            self._hold(folder)
            for path in left_over:
                take(self.intake, folder, path, self.token)
            for path in whole:
                self._hold(folder)
                take(self.intake, folder, begin(folder, path), self.token)
        except FolderLost:
            return 0
        return len(left_over) + len(whole)

    def _hold(self, folder: DropFolder) -> None:
        with self.intake.store.writing() as session:
            hold_folder(session, folder.source, self.token, self.intake.clock())


def watcher_for(settings: Settings, topology: Topology, intake: Intake) -> Watcher:
    folders = tuple(
        DropFolder(source, settings.drop_dir / source.code)
        for source in topology.sources.values()
        if source.intake == "drop"
    )
    for folder in folders:
        folder.make()
    return Watcher(intake, folders, new_token())


def run(settings: Settings, topology: Topology, store: Store, dispatcher: Dispatcher, stop: threading.Event) -> None:
    """The watcher's process: look into every drop folder until told to stop."""
    watch(watcher_for(settings, topology, Intake(store, dispatcher.nudge)), stop)
    dispatcher.close()


def watch(watcher: Watcher, stop: threading.Event) -> None:
    """Look until told to stop. A database or disk that fails is waited for: files stay where they are meanwhile."""
    while not stop.is_set():
        try:
            taken = watcher.look()
        except (DBAPIError, OSError) as error:
            log.warning("intake_must_wait", error=type(error).__name__)
            taken = 0
            stop.wait(2.0)
        if not taken:
            stop.wait(LOOK_EVERY_SECONDS)
