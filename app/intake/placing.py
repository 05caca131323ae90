"""Put a file into a drop folder the way every sender should: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def place_file(folder: Path, name: str, body: bytes) -> Path:
    """Written beside under a name that is never taken, flushed to disk, then renamed in."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{name}.part"
    with draft.open("wb") as output:
        output.write(body)
        output.flush()
        os.fsync(output.fileno())
    return draft.rename(folder / name)
