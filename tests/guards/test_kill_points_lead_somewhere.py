"""The bench's table of kill points against the product: a name that no longer leads anywhere fails here."""

from __future__ import annotations

import pytest

from app.bench.points import POINTS, Point, resolve
from app.bench.schedule import KILLED, KINDS, TRYTON_KINDS, make_schedule
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
    kinds = KINDS + TRYTON_KINDS
    schedule = make_schedule(7, 60, 2_000, kinds)

    assert schedule == make_schedule(7, 60, 2_000, kinds)
    assert schedule != make_schedule(8, 60, 2_000, kinds)
    assert {fault.kind for fault in schedule} == set(kinds)
