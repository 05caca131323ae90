"""A disk so small that a test can fill it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class SmallDisk:
    path: Path

    def fill(self) -> None:
        """To the last block; a file of its own takes all that is left."""
        with (self.path / "filler").open("ab", buffering=0) as filler, suppress(OSError):
            while True:
                filler.write(bytes(4_096))

    def free(self) -> None:
        (self.path / "filler").unlink()


@contextmanager
def small_disk(path: Path, size_kb: int) -> Iterator[SmallDisk]:
    """A tmpfs of this size; only root on Linux may make one, so the test is skipped elsewhere."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(path)]
    if os.geteuid() != 0 or not Path("/proc/mounts").exists() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("no small disk can be mounted here: that takes root on Linux, with the right to mount")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)
