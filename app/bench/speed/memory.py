"""How much memory processes take, as Linux counts it."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from app.bench.speed.programs import SpeedFailed

PROC = Path("/proc")
KIB = 1_024


def peak_bytes(pid: int) -> int:
    """The most that it ever held resident. Raises SpeedFailed where it is gone, or the system does not tell."""
    return _field(PROC / str(pid) / "status", "VmHWM")


def _field(path: Path, name: str) -> int:
    """Bytes; the kernel writes kB and means KiB (proc(5))."""
    try:
        lines = path.read_text().splitlines()
    except OSError as error:
        raise SpeedFailed(f"The memory of a process cannot be read: {error}") from None
    for line in lines:
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * KIB
    raise SpeedFailed(f"{path} tells no {name}.")


def proportional_bytes(pid: int) -> int:
    """What it takes of the machine: its own pages, and its part of those that it shares (PSS)."""
    return _field(PROC / str(pid) / "smaps_rollup", "Pss")


def group_of(leader: int) -> list[int]:
    """The processes of its group that live, by id; the supervisor gives each program a group of its own."""
    found = []
    for stat in PROC.glob("[0-9]*/stat"):
        with suppress(OSError):  # ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == leader:
                found.append(int(stat.parent.name))
    return sorted(found)
