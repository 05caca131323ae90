"""Which process holds how many of a server's connections, as Linux tells it."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import suppress
from pathlib import Path

ESTABLISHED = "01"


def connections_by_process(port: int, parent: int) -> list[int] | None:
    """How many connections to this local port each child of ``parent`` holds, the most first; None where the system
    does not say (it is no Linux)."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        return None
    inodes = set()
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == ESTABLISHED and int(fields[1].rpartition(":")[2], 16) == port:
            inodes.add(f"socket:[{fields[9]}]")
    held: Counter[int] = Counter()
    for child in children(parent):
        with suppress(OSError):
            for descriptor in Path(f"/proc/{child}/fd").iterdir():
                with suppress(OSError):
                    held[child] += os.readlink(descriptor) in inodes
    return sorted((count for count in held.values()), reverse=True)


def children(parent: int) -> list[int]:
    """The processes that ``parent`` started and that still run."""
    with suppress(OSError):
        return [int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return []


def is_shared(split: list[int] | None) -> bool:
    """Whether no process holds more than two thirds of the connections."""
    return split is None or not split or split[0] * 3 <= sum(split) * 2
