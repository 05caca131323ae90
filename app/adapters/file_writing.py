"""Files that are still there after a power cut."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any


def write_through(path: Path, text: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes a new name in a folder last through a power cut."""
    descriptor: Any = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
