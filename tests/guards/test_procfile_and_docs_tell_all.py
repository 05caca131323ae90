"""docs/operations.md leaves nothing out: commands, variables, metrics, processes."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from honcho.environ import parse_procfile

from app.cli import COMMANDS
from app.telemetry.metrics import Figures, render

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
OF_THE_DEMONSTRATION = {"practice"}


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - OF_THE_DEMONSTRATION))
def test_every_command_is_described(name: str) -> None:
    assert re.search(rf"`{name}[ `]", PAGE)


@pytest.mark.parametrize(
    "name", sorted(set(re.findall(r'"(LINESIDE_[A-Z_]+[A-Z])"', (ROOT / "config" / "settings.py").read_text("utf-8"))))
)
def test_every_variable_is_described(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_metric_is_described() -> None:
    backlog, ages = {("P1", "post", "enriched"): 1}, {("P1", "enriched"): 1.0}
    figures = Figures(backlog, ages, {"P1": 1}, {"erp": "open"}, {"P1": True})
    took, outcomes = {("P1", "quality", "resolution"): [("1.0", 1), ("+Inf", 1)]}, {("P1", "quality", "died"): 1}
    figures = replace(figures, durations=took, outcomes=outcomes)
    exposed = re.findall(r"^# TYPE (lineside_\S+)", render(figures)[0].decode(), re.MULTILINE)

    assert len(exposed) >= 7
    for name in exposed:
        assert f"`{name}`" in PAGE or name.endswith("_created")


def test_every_process_is_described() -> None:
    for name in parse_procfile((ROOT / "Procfile").read_text("utf-8")).processes:
        assert f"`{name}`" in PAGE
