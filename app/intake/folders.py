"""The folders of a source that drops files, and when a file in them is whole."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from config.topology import DropFile, Source

# Beside a file, a file of this ending says that it is whole; files of the others are still being written.
MARKER = ".ok"
UNFINISHED = (".part", ".tmp", ".partial", ".filepart", ".crdownload")
# One look takes at most this many names, so that a flooded folder cannot fill the memory.
NAMES_LIMIT = 10_000
# File systems take names of 255 bytes; ours leave room for a number and for ``.errors.csv`` behind them.
NAME_BYTES = 200
SUFFIX_BYTES = 40


@dataclass(frozen=True)
class DropFolder:
    """``in`` is where the sender writes; a file under work stands in ``working``, then in ``archive`` or ``failed``."""

    source: Source
    root: Path

    @property
    def incoming(self) -> Path:
        return self.root / "in"

    @property
    def working(self) -> Path:
        return self.root / "working"

    @property
    def archive(self) -> Path:
        return self.root / "archive"

    @property
    def failed(self) -> Path:
        return self.root / "failed"

    def make(self) -> None:
        for folder in (self.incoming, self.working, self.archive, self.failed):
            folder.mkdir(parents=True, exist_ok=True)

    def kind_of(self, name: str) -> DropFile | None:
        """What the topology says about files of this name; the first pattern that matches."""
        return next((kind for kind in self.source.files if fnmatch(name, kind.pattern)), None)

    def whole_files(self, now_seconds: float) -> list[Path]:
        """Files in ``in`` that nobody writes any more, by name.

        A file is whole when its marker stands beside it, or when it has not changed for the source's settle time.
        """
        whole: list[Path] = []
        with os.scandir(self.incoming) as entries:
            for entry in entries:
                if len(whole) >= NAMES_LIMIT:
                    break
                if self._is_candidate(entry) and self._is_whole(Path(entry.path), now_seconds):
                    whole.append(Path(entry.path))
        return sorted(whole)

    def _is_candidate(self, entry: os.DirEntry[str]) -> bool:
        name = entry.name.lower()
        if name.startswith((".", "~")) or name.endswith((*UNFINISHED, MARKER)):
            return False
        return entry.is_file(follow_symlinks=False)

    def _is_whole(self, path: Path, now_seconds: float) -> bool:
        if os.path.exists(marker_of(path)):  # unlike Path.exists, false where the marker's name would be too long
            return True
        try:
            changed = path.stat().st_mtime
        except FileNotFoundError:  # the sender took it back between our look and this one
            return False
        return now_seconds - changed >= self.source.settle_seconds


def marker_of(path: Path) -> Path:
    return path.with_name(path.name + MARKER)


def sound_name(name: str) -> str:
    """The name that a file gets with us: what is no printable character becomes ``_``, and what is so long that no
    ending would fit behind it is cut. A name in another encoding, or of 255 bytes, must not stop its folder."""
    printable = "".join(character if character.isprintable() else "_" for character in name)
    stem, suffix = Path(printable).stem, Path(printable).suffix
    if len(suffix.encode()) > SUFFIX_BYTES:
        stem, suffix = printable, ""
    return stem.encode()[: NAME_BYTES - len(suffix.encode())].decode("utf-8", "ignore") + suffix


def free_name(folder: Path, name: str) -> Path:
    """A path in the folder that no other file has: the name itself, or the name with a number before its ending."""
    path = folder / name
    number = 2
    while path.exists():
        path = folder / f"{Path(name).stem}.{number}{Path(name).suffix}"
        number += 1
    return path
