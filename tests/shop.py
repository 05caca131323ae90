"""A drop folder of one source with its watcher, as tests put files into it."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.intake.context import Intake
from app.intake.folders import DropFolder
from app.intake.watcher import Watcher
from app.store.files_tables import DroppedFile
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology import DropFile, Source
from tests.factories import NOON


@dataclass
class Shop:
    """A drop folder with its watcher; ``drop`` puts a file there that has long been unchanged."""

    store: Store
    folder: DropFolder
    watcher: Watcher
    nudges: list[tuple[str, int]] = field(default_factory=list)

    def drop(self, name: str, content: str | bytes, settled: bool = True) -> Path:
        self.folder.make()
        path = self.folder.incoming / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if settled:
            os.utime(path, (time.time() - 60, time.time() - 60))
        return path

    def messages(self) -> list[Any]:
        query = select(Message.source_message_id, Message.row_number, Message.type).order_by(Message.id)
        with self.store.reading() as session:
            return list(session.execute(query))

    def files(self) -> list[DroppedFile]:
        with self.store.reading() as session:
            return list(session.execute(select(DroppedFile).order_by(DroppedFile.id)).scalars())

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.folder.root / folder).iterdir())

    def errors(self, name: str) -> list[dict[str, str]]:
        with (self.folder.archive / f"{name}.errors.csv").open(newline="") as stream:
            return list(csv.DictReader(stream))


def make_shop(store: Store, tmp_path: Path, files: Sequence[DropFile]) -> Shop:
    source = Source("legacy", "ERP", ("P300",), "legacy_files", intake="drop", files=tuple(files), settle_seconds=2)
    nudges: list[tuple[str, int]] = []
    intake = Intake(store, lambda plant, count: nudges.append((plant, count)), lambda: NOON)
    folder = DropFolder(source, tmp_path / "drop" / "legacy")
    return Shop(store, folder, Watcher(intake, (folder,), "watcher-1"), nudges)
