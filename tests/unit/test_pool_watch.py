"""A worker whose main loop stands still ends itself; one that turns, or waits for its broker, does not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.pool_watch import LoopWatch

LOOKS = 10


@dataclass
class Process:
    """One whose watch gives up after ten looks, and how often it was ended."""

    ends: list[bool] = field(default_factory=list)

    def watch(self) -> LoopWatch:
        return LoopWatch(LOOKS, lambda: self.ends.append(True))


def look(watch: LoopWatch, times: int, turn: Callable[[], None] = lambda: None) -> None:
    for _ in range(times):
        turn()
        watch.look()


def test_a_loop_that_stands_still_ends_its_process() -> None:
    process = Process()
    watch = process.watch()

    look(watch, LOOKS)
    before = list(process.ends)
    look(watch, 1)

    assert (before, process.ends) == ([], [True])


def test_a_loop_that_turns_lives() -> None:
    process = Process()
    watch = process.watch()

    look(watch, LOOKS * 5, watch.turned)

    assert process.ends == []


def test_a_loop_that_waits_for_its_broker_lives_and_is_watched_again_afterwards() -> None:
    process = Process()
    watch = process.watch()

    with watch.excused():
        look(watch, LOOKS * 5)
    lived = not process.ends
    look(watch, LOOKS + 1)

    assert (lived, process.ends) == (True, [True])


def test_a_worker_that_is_ending_is_left_to_its_supervisor() -> None:
    process = Process()
    watch = process.watch()

    watch.stop()
    look(watch, LOOKS * 5)

    assert process.ends == []
