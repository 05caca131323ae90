"""What processes cost: their memory and their time on the processors, as Linux counts them (proc(5))."""

from __future__ import annotations

import os
from pathlib import Path

from app.bench.speed.connections import children
from app.bench.speed.programs import SpeedFailed

PROC = Path("/proc")
KIB = 1_024
GENERATIONS_MOST = 4


def with_descendants(pid: int) -> list[int]:
    """The process, and all that it started and what those started."""
    found, latest = [pid], [pid]
    for _ in range(GENERATIONS_MOST):
        latest = [child for parent in latest for child in children(parent)]
        found += latest
    return found


def peak_bytes(pid: int) -> int:
    """The most that it ever held resident. Raises SpeedFailed where it is gone, or the system does not tell."""
    return _field(PROC / str(pid) / "status", "VmHWM")


def share_bytes(pid: int) -> int:
    """What it holds now, where pages that several processes share count in equal parts for each (Pss): so the shares of
    processes may be added up. Raises SpeedFailed."""
    return _field(PROC / str(pid) / "smaps_rollup", "Pss")


def cpu_seconds(pid: int) -> float:
    """How long it has run on a processor, in its own code and in the kernel. Raises SpeedFailed."""
    fields = _read(PROC / str(pid) / "stat").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _field(path: Path, name: str) -> int:
    """Bytes; the kernel writes kB and means KiB."""
    for line in _read(path).splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * KIB
    raise SpeedFailed(f"{path} tells no {name}.")


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise SpeedFailed(f"A process cannot be looked at: {error}") from None
