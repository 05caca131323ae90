"""Real files of other people's systems. They are read where they lie and are no part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.services import in_ci

VARIABLE = "LINESIDE_SAMPLES"


def sample(name: str) -> Path:
    """The sample of this name; skips where there are none, and fails in CI."""
    root = os.environ.get(VARIABLE, "")
    path = Path(root or "/nonexistent") / name
    if not path.exists():
        reason = f"{VARIABLE} names no directory with {name}" if root else f"{VARIABLE} is not set"
        if in_ci():
            pytest.fail(reason)
        pytest.skip(reason)
    return path


def samples(folder: str, *patterns: str) -> list[Path]:
    """Every sample below a folder with one of these endings."""
    root = sample(folder)
    found = sorted(path for pattern in patterns for path in root.rglob(pattern))
    assert found, f"{root} holds nothing like {patterns}"
    return found
