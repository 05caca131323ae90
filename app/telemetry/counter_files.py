"""The files in which processes count, made so that a full disk ends no process.

prometheus_client maps a sparse file into memory; where the disk has no block for a page that is written to, the kernel
ends the process with SIGBUS. Here each block is reserved before it is mapped; where that cannot be, OSError says so.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from prometheus_client import mmap_dict, values

FIRST_BYTES = 1 << 16
# What an entry takes beside its key: length, padding, value and time.
ENTRY_BYTES = 32


def reserve(path: Path, size: int) -> None:
    """Give the file ``size`` bytes that the disk really has. Raises OSError, and leaves the file as it was."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    had = os.fstat(descriptor).st_size
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, max(size, had))
        else:
            os.pwrite(descriptor, bytes(max(0, size - had)), had)
    except OSError:
        if had:
            os.ftruncate(descriptor, had)
        else:
            path.unlink()  # an empty file could not be read
        raise
    finally:
        os.close(descriptor)


class ReservedDict(mmap_dict.MmapedDict):
    _used: int
    _capacity: int
    _m: Any
    _f: Any
    _fname: str

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            reserve(Path(filename), FIRST_BYTES)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    def _init_value(self, key: str) -> None:
        capacity = self._capacity
        while self._used + len(key.encode()) + ENTRY_BYTES > capacity:
            capacity *= 2
        if capacity > self._capacity:
            reserve(Path(self._fname), capacity)
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        if self._m is None:
            raise OSError(f"{self._fname} was closed")  # after a fork that could not make its own
        super().write_value(key, value, timestamp)  # type: ignore[no-untyped-call]


def use_reserved_files() -> None:
    """For every counter of this process that is made after this."""
    values.MmapedDict = ReservedDict  # type: ignore[attr-defined]
