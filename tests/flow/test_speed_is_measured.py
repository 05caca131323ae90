"""The benchmarks of speed work: whether figures are good is not a test's to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.bench.installation import Ground
from app.bench.speed.accepting import INSERT_AND_PUBLISH, NOTHING
from app.bench.speed.dropped import BARE, MEMORY_NAME, ROWS_NAME, TENTH
from app.bench.speed.end_to_end import CALLS, CELERY, DRAMATIQ
from app.bench.speed.figures import Figure
from app.bench.speed.goals import PLANNED
from app.bench.speed.over_load import NAME, RATES, OverLoadPlan, run_over_load
from app.bench.speed.runs import BENCHMARKS, run_benchmark

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

SHORT = 0.05
SHORT_ENOUGH = [name for name in BENCHMARKS if name != "load"]


class Quiet:
    def line(self, text: str) -> None:
        """Nobody reads along."""

    @contextmanager
    def progress(self, _title: str) -> Iterator[Callable[[float], None]]:
        yield lambda share: None


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    ground = Ground("sqlite+valkey")
    return [figure for name in SHORT_ENOUGH for figure in run_benchmark(name, ground, 1, SHORT, Quiet())]


def test_every_figure_is_told_with_its_goal(figures: list[Figure]) -> None:
    told = [figure.wire() for figure in figures]

    planned = [one for name in SHORT_ENOUGH for one in PLANNED[name]]
    assert list(BENCHMARKS) == list(PLANNED)
    assert [one["name"] for one in told] == [one.name for one in planned]
    assert all(one["figure"] > 0 for one in told)
    assert [(one["goal"] is None, one["met"] is None) for one in told] == [(one.goal is None,) * 2 for one in planned]


def test_throughput_and_latency_are_told_for_each_rate(tmp_path: Path) -> None:
    plan = OverLoadPlan(Ground("sqlite+valkey"), runs=1, seconds=1, rates=(9.0,))

    (figure,) = run_over_load(plan, tmp_path, Quiet())

    (detail,) = figure.wire()["runs"]["detail"]
    assert detail["posted"] == figure.wire()["figure"] > 0
    assert 0 < detail["p50"] <= detail["p99"]
    assert [NAME.format(rate) for rate in RATES] == [one.name for one in PLANNED["load"]]


@pytest.mark.parametrize(
    ("name", "yardsticks"),
    [
        ("accept, one a request", [INSERT_AND_PUBLISH, NOTHING]),
        ("end to end, one call a message", [CELERY, DRAMATIQ, CALLS]),
        (ROWS_NAME, [BARE]),
        (MEMORY_NAME, [TENTH]),
    ],
)
def test_a_figure_stands_beside_what_was_measured_by_turns(
    figures: list[Figure], name: str, yardsticks: list[str]
) -> None:
    told = next(figure for figure in figures if figure.name == name).wire()

    assert list(told["yardsticks"]) == yardsticks
    assert told["ratio"] == pytest.approx(told["figure"] / told["yardsticks"][yardsticks[0]]["median"], rel=0.01)
