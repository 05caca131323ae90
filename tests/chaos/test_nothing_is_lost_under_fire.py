"""Killed at every point and struck by every kind of fault: nothing lost, nothing doubled, in order, the stock right.

What is counted stands in the practice systems' own books; ``lineside bench chaos`` runs the same at greater length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.bench.ground import GroundMissing
from app.bench.installation import Ground, Stack
from app.bench.points import POINTS, Point
from app.bench.run import Outcome, Plan, run_chaos
from app.bench.schedule import KINDS
from tests.services import POSTGRES_URL, RABBITMQ_URL, missing_service

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(600)]

KILLS = tuple(f"kill.{point.name}" for point in POINTS)
OTHERS = tuple(kind for kind in KINDS if kind not in KILLS)
SEED = 1


class Quiet:
    """A run says nothing to a test; its outcome says all."""

    def line(self, text: str) -> None:
        """Nobody reads along."""

    @contextmanager
    def progress(self, _title: str) -> Iterator[Callable[[float], None]]:
        yield lambda share: None


def run(stack: Stack, kinds: tuple[str, ...], messages: int, faults: int) -> Outcome:
    ground = Ground(stack, POSTGRES_URL, RABBITMQ_URL)
    try:
        return run_chaos(Plan(SEED, messages, faults, ground, kinds), Quiet())
    except GroundMissing as missing:
        missing_service(str(missing), POSTGRES_URL if "PostgreSQL" in str(missing) else RABBITMQ_URL)


@pytest.fixture(scope="module")
def killed_everywhere() -> Outcome:
    return run("sqlite+valkey", KILLS, messages=160, faults=len(KILLS))


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_process_is_killed_there(killed_everywhere: Outcome, point: Point) -> None:
    assert killed_everywhere.faults[f"kill.{point.name}"] == 1


def test_killed_at_every_point_nothing_is_lost_doubled_or_out_of_order(killed_everywhere: Outcome) -> None:
    assert killed_everywhere.is_clean, killed_everywhere.account()
    assert killed_everywhere.accepted == 160


def test_struck_by_every_other_fault_nothing_is_lost_doubled_or_out_of_order() -> None:
    outcome = run("postgresql+rabbitmq", OTHERS, messages=200, faults=15)

    assert outcome.is_clean, outcome.account()
    assert outcome.accepted == 200
    assert sum(outcome.faults.values()) == 15
