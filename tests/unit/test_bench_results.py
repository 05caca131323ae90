"""What the bench measured is told as it was: the figures of a hung ERP, its picture, and the table of many runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.bench.hang import HangOutcome, HangPlan, Passage
from app.bench.hang_plot import write_plot
from app.bench.installation import Ground
from app.bench.layout import HUNG_PLANT, OTHER_PLANT
from app.bench.results import COLUMNS, FOUND, ResultUnreadable, markdown_table, read_runs


def hung(other_seconds: float = 0.1, documents: int = 60) -> HangOutcome:
    """One message a second of each plant; the second ten while the ERP hangs."""
    plan = HangPlan(Ground("sqlite+valkey"), rate=1, before_seconds=10, hang_seconds=10, after_seconds=10)
    waits = [0.1 if not 10 <= at < 20 else 20.5 - at for at in range(30)]
    passages = [Passage(HUNG_PLANT, float(at), took) for at, took in enumerate(waits)]
    others = [0.1 if not 10 <= at < 20 else other_seconds for at in range(30)]
    passages += [Passage(OTHER_PLANT, float(at), took) for at, took in enumerate(others)]
    return HangOutcome(plan, 60, passages, documents, limit_seconds=2.0)


def test_each_phase_has_figures_of_its_own() -> None:
    figures = hung().figures(HUNG_PLANT)

    assert figures["before"] == {"messages": 10, "p50": 0.1, "p95": 0.1, "p99": 0.1, "slowest": 0.1}
    assert figures["during"] == {"messages": 10, "p50": 5.5, "p95": 10.5, "p99": 10.5, "slowest": 10.5}


def test_a_run_in_which_the_other_plant_waits_too_or_something_is_missing_is_not_clean() -> None:
    assert hung().is_clean
    assert not hung(other_seconds=2.5).is_clean
    assert not hung(documents=61).is_clean


def test_the_plot_shows_both_plants_and_when_the_erp_hung(tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"

    write_plot(hung(), path)

    text = path.read_text()
    for words in (f"{HUNG_PLANT}, median", f"{OTHER_PLANT}, median", f"{OTHER_PLANT}, slowest", "ERP hangs"):
        assert words in text
    assert "<script" not in text


def run(stack: str, seed: int, **more: Any) -> dict[str, Any]:
    figures = dict.fromkeys((*COLUMNS, *FOUND), 0) | {"accepted": 100, "posted": 150}
    return {"stack": stack, "seed": seed, "faults": {"kill.web": 2, "tryton.kill": 1}, "clean": True} | figures | more


def test_the_table_has_a_row_for_each_run_and_the_sums_of_each_stack(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    runs = [run("b", 2), run("a", 1, lost=3), run("b", 1, unreversed=1), run("b", 2, accepted=90)]
    path.write_text("".join(json.dumps(one) + "\n" for one in runs))

    lines = markdown_table(read_runs([path])).splitlines()

    assert lines[0].startswith("| stack | seed | faults | accepted | posted |")
    assert [line.split(" | ")[:4] for line in lines[2:5]] == [
        ["| a", "1", "3", "100"],
        ["| b", "1", "3", "100"],
        ["| b", "2", "3", "90"],
    ]
    assert lines[2].endswith("| 0 | 3 | 0 | none |")
    assert lines[-1] == "| **b** | **2 seeds** | 6 | 190 | 300 | 0 | 0 | 0 | 0 | 0 | 0 | 1 unreversed |"


def test_a_file_of_something_else_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "runs.json"
    path.write_text(json.dumps(run("a", 1)) + '\n{"seed": 2}\n')

    with pytest.raises(ResultUnreadable, match=r"runs\.json:2 is no run .* it lacks stack"):
        read_runs([path])
