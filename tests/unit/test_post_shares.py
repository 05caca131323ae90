"""No plant holds all threads of a post worker, and none is turned away for good."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.pipeline.share import QUICK_CALLS_SECONDS, Shares
from config.topology import Plant

PLANTS = [Plant(code, code, "Europe/Berlin") for code in ("A", "B", "C")]


def entered(shares: Shares, plant: str, times: int) -> int:
    return sum(shares.enter(plant, 10) for _ in range(times))


def test_a_plant_alone_holds_half_of_the_threads_and_leaves_the_others_theirs() -> None:
    shares = Shares(16, PLANTS)

    assert entered(shares, "A", 20) == 8
    assert entered(shares, "B", 20) == 5
    assert entered(shares, "C", 3) == 3


def test_a_share_that_the_topology_gives_is_exact() -> None:
    shares = Shares(16, [Plant("A", "A", "Europe/Berlin", post_share=2), *PLANTS[1:]])

    assert entered(shares, "A", 20) == 2


def test_more_plants_than_threads_leave_each_plant_one() -> None:
    shares = Shares(4, [Plant(f"P{n}", "P", "Europe/Berlin") for n in range(9)])

    assert entered(shares, "P0", 9) == 2
    assert all(shares.enter(f"P{n}", 1) for n in range(1, 9))


def test_what_one_was_turned_away_with_is_done_by_those_that_work() -> None:
    shares = Shares(2, PLANTS[:2])
    assert shares.enter("A", 10)
    assert not shares.enter("A", 25)

    assert shares.go_on("A") == 25
    assert shares.go_on("A") == 0
    assert shares.enter("A", 10)


def test_nothing_is_left_to_a_plant_for_which_nobody_works() -> None:
    shares = Shares(4, PLANTS[:2])
    assert shares.enter("A", 10)
    shares.leave("A", undone=7)

    assert shares.enter("A", 10)
    assert shares.go_on("A") == 0


@given(st.integers(1, 40), st.integers(1, 12), st.data())
def test_every_plant_gets_a_thread_whatever_the_others_hold(threads: int, count: int, data: st.DataObject) -> None:
    plants = [Plant(f"P{n}", "P", "Europe/Berlin") for n in range(count)]
    shares = Shares(threads, plants)
    for code in data.draw(st.lists(st.sampled_from([plant.code for plant in plants[:-1] or plants]), max_size=80)):
        shares.enter(code, 1)

    assert count == 1 or shares.enter(plants[-1].code, 1)


def test_two_threads_are_enough_while_the_targets_answer_quickly() -> None:
    shares = Shares(16, PLANTS)

    assert [shares.enter("A", 10, quick=True) for _ in range(4)] == [True, True, False, False]
    assert shares.go_on("A") == 20
    assert shares.enter("B", 10, quick=True)


def test_a_thread_that_waits_for_a_target_makes_place_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    shares, clock = Shares(16, PLANTS), [0.0]
    monkeypatch.setattr("app.pipeline.share.time.monotonic", lambda: clock[0])
    assert [shares.enter("A", 10, quick=True) for _ in range(3)] == [True, True, False]

    with shares.calling("A"):
        assert not shares.enter("A", 10, quick=True)
        clock[0] += QUICK_CALLS_SECONDS * 2
        assert shares.enter("A", 10, quick=True)
        assert not shares.enter("A", 10, quick=True)
