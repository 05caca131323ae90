"""The benchmarks of speed work: whether figures are good is not a test's to say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from app.bench.installation import Ground
from app.bench.speed import backlog, history, hung, requeued, soak, started
from app.bench.speed.accepting import INSERT_AND_PUBLISH, NOTHING
from app.bench.speed.dropped import BARE, MEMORY_NAME, ROWS_NAME, TENTH
from app.bench.speed.end_to_end import CALLS, CELERY, DRAMATIQ
from app.bench.speed.figures import Figure
from app.bench.speed.goals import PLANNED
from app.bench.speed.over_load import NAME, RATES
from app.bench.speed.runs import BENCHMARKS, run_benchmark

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket, pytest.mark.timeout(600)]

SHORT = 0.07
SMOKE = ("accept", "end-to-end", "files")
"""Half a minute; the others are made of the same parts, and take minutes each however short they are."""


class Quiet:
    def line(self, text: str) -> None:
        """Nobody reads along."""

    @contextmanager
    def progress(self, _title: str) -> Iterator[Callable[[float], None]]:
        yield lambda share: None


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    ground = Ground("sqlite+valkey")
    return [figure for name in SMOKE for figure in run_benchmark(name, ground, 1, SHORT, Quiet())]


def test_every_figure_is_told_with_its_goal(figures: list[Figure]) -> None:
    told = [figure.wire() for figure in figures]

    planned = [one for name in SMOKE for one in PLANNED[name]]
    assert [one["name"] for one in told] == [one.name for one in planned]
    assert all(one["figure"] > 0 for one in told)
    assert [(one["goal"] is None, one["met"] is None) for one in told] == [(one.goal is None,) * 2 for one in planned]


def test_every_figure_that_is_planned_is_one_that_is_measured() -> None:
    names = {
        "load": [NAME.format(rate) for rate in RATES],
        "requeue": [requeued.FIRST_NAME, requeued.ALL_NAME],
        "hung": [hung.NAME],
        "history": list(history.NAMES),
        "backlog": [backlog.END_NAME, backlog.RELAY_NAME],
        "memory": [soak.WORKER_NAME, soak.STACK_NAME, soak.FLAT_NAME],
        "start": [started.RUN_NAME, started.UP_NAME],
    }

    assert list(BENCHMARKS) == list(PLANNED)
    assert [*SMOKE, *names] == ["accept", "end-to-end", "files", *names]
    assert {name: [one.name for one in PLANNED[name]] for name in names} == names


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
