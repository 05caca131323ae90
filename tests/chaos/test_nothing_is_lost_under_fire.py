"""Killed at every point and struck by every kind of fault: nothing lost, nothing doubled, in order, the stock right.

What is counted stands in the targets' own books: the practice systems' and, where all is killed, a real Tryton's on
SQLite. ``lineside bench chaos`` runs the same at greater length, and with Tryton on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.bench.ground import GroundMissing
from app.bench.installation import Ground
from app.bench.outcome import Outcome, Plan
from app.bench.points import POINTS, Point
from app.bench.run import run_chaos
from app.bench.schedule import KINDS
from app.demo.erp_processes import is_installed
from tests.services import POSTGRES_URL, RABBITMQ_URL, missing_service

pytestmark = [pytest.mark.slow, pytest.mark.services, pytest.mark.timeout(600)]

KILLS = tuple(f"kill.{point.name}" for point in POINTS)
OTHERS = tuple(kind for kind in KINDS if kind not in KILLS)
AT_TRYTON = ("tryton.kill", "tryton.dropped")
IN_TRYTON = 14
SEED = 1


class Quiet:
    """A run says nothing to a test; its outcome says all."""

    def line(self, text: str) -> None:
        """Nobody reads along."""

    @contextmanager
    def progress(self, _title: str) -> Iterator[Callable[[float], None]]:
        yield lambda share: None


def run(ground: Ground, kinds: tuple[str, ...], messages: int, faults: int, in_tryton: int = 0) -> Outcome:
    try:
        return run_chaos(Plan(SEED, messages, faults, ground, kinds, in_tryton), Quiet())
    except GroundMissing as missing:
        missing_service(str(missing), POSTGRES_URL if "PostgreSQL" in str(missing) else RABBITMQ_URL)


@pytest.fixture(scope="module")
def killed_everywhere(request: pytest.FixtureRequest) -> Outcome:
    if not is_installed():
        missing_service("Tryton", "this Python (pip install 'lineside[tryton]')")
    ground = Ground("sqlite+valkey", cache_dir=request.config.cache.mkdir("tryton"))
    kinds = KILLS + AT_TRYTON
    return run(ground, kinds, messages=160, faults=len(kinds), in_tryton=IN_TRYTON)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_process_is_killed_there(killed_everywhere: Outcome, point: Point) -> None:
    assert killed_everywhere.faults[f"kill.{point.name}"] == 1


def test_killed_at_every_point_nothing_is_lost_doubled_or_out_of_order(killed_everywhere: Outcome) -> None:
    assert killed_everywhere.is_clean, killed_everywhere.account()
    assert killed_everywhere.accepted == 160


def test_what_a_later_target_refuses_is_reversed_in_the_earlier_one(killed_everywhere: Outcome) -> None:
    assert killed_everywhere.count.reversed >= 2
    assert not killed_everywhere.count.unreversed


def test_a_real_erp_that_is_killed_holds_every_production_once(killed_everywhere: Outcome) -> None:
    assert killed_everywhere.faults["tryton.kill"] == 1
    assert killed_everywhere.in_tryton >= IN_TRYTON


def test_struck_by_every_other_fault_nothing_is_lost_doubled_or_out_of_order() -> None:
    ground = Ground("postgresql+rabbitmq", POSTGRES_URL, RABBITMQ_URL)

    outcome = run(ground, OTHERS, messages=200, faults=15)

    assert outcome.is_clean, outcome.account()
    assert outcome.accepted == 200
    assert sum(outcome.faults.values()) == 15
