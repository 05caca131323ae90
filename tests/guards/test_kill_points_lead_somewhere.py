"""The bench's table of kill points against the product: a name that no longer leads anywhere fails here."""

from __future__ import annotations

import pytest

from app.bench.points import POINTS, Point, resolve
from app.bench.schedule import KILLED, KINDS, make_schedule
from app.stack.procfile import PRODUCT


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_kill_point_is_a_function_of_the_product(point: Point) -> None:
    _, _, function = resolve(point)

    assert callable(function)


def test_a_kill_point_begins_with_the_process_that_passes_there() -> None:
    assert {point.process for point in POINTS} <= set(PRODUCT)
    assert set(KILLED) <= set(PRODUCT)
    assert len({point.name for point in POINTS}) == len(POINTS)


def test_the_seed_repeats_the_faults_and_each_kind_strikes_where_there_is_room() -> None:
    schedule = make_schedule(7, len(KINDS) + 10, 2_000)

    assert schedule == make_schedule(7, len(KINDS) + 10, 2_000)
    assert schedule != make_schedule(8, len(KINDS) + 10, 2_000)
    assert {fault.kind for fault in schedule} == set(KINDS)
