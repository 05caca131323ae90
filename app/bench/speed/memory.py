"""How much memory processes take, as Linux counts it."""

from __future__ import annotations

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
