"""A file of 100,000 rows is taken in the memory of a small one. The figure stands in docs/bad-input.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROWS = 100_000
# Measured: 4 MB for the rows, whether good or bad, over the 84 MB of a watcher that has read nothing.
ROWS_BYTES = 16_000_000
PROCESS_BYTES = 200_000_000


@pytest.mark.slow
@pytest.mark.parametrize(("last", "accepted"), [("", ROWS), ("X;one column too many", 0)], ids=["good", "bad"])
def test_a_hundred_thousand_rows_take_the_memory_of_a_few(tmp_path: Path, last: str, accepted: int) -> None:
    command = [sys.executable, "-m", "tests.flow.hundred_thousand_rows", str(tmp_path / "home"), str(ROWS), last]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=150, check=True)

    told = json.loads(done.stdout.splitlines()[-1])
    assert told["accepted"] == accepted
    assert told["peak_bytes"] - told["before_bytes"] < ROWS_BYTES
    assert told["peak_bytes"] < PROCESS_BYTES
    errors = tmp_path / "home" / "drop" / "legacy-p300" / "archive" / "CONF1.csv.errors.csv"
    told_rows = errors.read_text().count("\n") - 1 if errors.exists() else 0
    assert told_rows == ROWS - accepted
