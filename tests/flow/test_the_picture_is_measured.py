"""`lineside bench visibility` reads every list and detail of the picture over the product's own web process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

import pytest

from app.bench.ground import GroundMissing
from app.bench.installation import STACKS, Ground, Stack
from app.bench.picture_calls import calls
from app.bench.picture_known import Known
from app.bench.visibility import LAG, VisibilityPlan, run_visibility
from tests.services import POSTGRES_URL, missing_service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


class Quiet:
    def line(self, text: str) -> None:
        """Nobody reads along."""

    @contextmanager
    def progress(self, _title: str) -> Iterator[Callable[[float], None]]:
        yield lambda share: None


@pytest.mark.parametrize(
    "stack", [STACKS[0], pytest.param(STACKS[1], marks=pytest.mark.services)], ids=["sqlite", "postgresql"]
)
def test_each_figure_is_measured_and_three_wrong_balances_are_found(stack: Stack) -> None:
    plan = VisibilityPlan(
        Ground(stack, POSTGRES_URL), few=500, many=1_000, links=1_100, calls=2, orders=40, load_seconds=1
    )

    try:
        figures = {figure.name: figure for figure in run_visibility(plan, Quiet())}
    except GroundMissing as missing:
        missing_service(str(missing), POSTGRES_URL)

    (compared,) = [figure for name, figure in figures.items() if name.startswith("reconciliation")]
    assert compared.met
    assert "trace of 1,111 links" in figures
    assert min(figure.figure for name, figure in figures.items() if LAG not in name) > 0
    assert {f"{LAG}, p50", f"{LAG}, p95"} < figures.keys()
    assert {
        f"p95 of {name}" for name in calls(Known((0,), 40, (1,), (1,), (1,), (1,), (1,)), Random(1))
    } < figures.keys()
