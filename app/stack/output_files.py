"""Each process writes to a file of its own, which is kept within bounds while the process goes on writing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO

LIMIT_BYTES = 20_000_000
TAIL_BYTES = 4_000


def open_output(log_dir: Path, name: str) -> IO[bytes]:
    log_dir.mkdir(parents=True, exist_ok=True)
    return output_path(log_dir, name).open("ab")


def output_path(log_dir: Path, name: str) -> Path:
    return log_dir / f"{name}.log"


def keep_within_bounds(log_dir: Path, limit_bytes: int = LIMIT_BYTES) -> None:
    """Copy a file that has grown too long to ``NAME.log.1`` and empty it. It is opened for appending, so its process
    goes on at the new end; what it writes between copy and cut is lost, which is why this is for logs only. Where the
    disk has no room for the copy, both stay as they are until it has."""
    for path in log_dir.glob("*.log"):
        draft = path.with_name(path.name + ".part")
        try:
            if path.stat().st_size > limit_bytes:
                shutil.copyfile(path, draft)
                draft.replace(path.with_name(path.name + ".1"))
                with path.open("r+b") as output:
                    output.truncate(0)
        except OSError:
            draft.unlink(missing_ok=True)


def last_line(log_dir: Path, name: str) -> str:
    """The last line that the process wrote; empty when it wrote none."""
    try:
        with output_path(log_dir, name).open("rb") as output:
            end = output.seek(0, 2)
            output.seek(max(0, end - TAIL_BYTES))
            lines = output.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:500] if lines else ""
