"""Calls of several threads sent together: each thread gets its own result, and nobody waits without need."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from app.adapters.budget import all_by, all_within, current_budget
from app.adapters.gathering import Gathering
from app.errors import LinesideError, OutcomeUnknown, Refused, Transient

RANKS = {"early": 0, "late": 1}
LONG_SECONDS = 10.0


class Sender:
    """Sends by doubling each number. The first call waits until it is let go, so that others gather."""

    def __init__(self, at_most: int = 10) -> None:
        self.sent: list[tuple[str, list[int]]] = []
        self.let_go = threading.Event()
        self.gathering: Gathering[str, int] = Gathering(self._send, RANKS.__getitem__, at_most)
        self.fail: Callable[[int], LinesideError | None] = lambda number: None
        self.crash: BaseException | None = None

    def _send(self, group: str, items: Sequence[Any]) -> Sequence[int | LinesideError]:
        self.sent.append((group, list(items)))
        if len(self.sent) == 1:
            assert self.let_go.wait(LONG_SECONDS)
        elif self.crash is not None:
            raise self.crash
        return [self.fail(number) or 2 * number for number in items]

    def run(self, calls: Sequence[tuple[str, int]]) -> list[Future[int]]:
        """The first call alone, and the others while it is under way."""
        pool = ThreadPoolExecutor(len(calls))
        futures = [pool.submit(self.gathering, *calls[0])]
        wait_until(lambda: len(self.sent) == 1)
        for count, call in enumerate(calls[1:], start=1):
            futures.append(pool.submit(self.gathering, *call))
            wait_until(lambda count=count: len(self.gathering._row) == count)
        self.let_go.set()
        pool.shutdown(wait=True)
        return futures


def wait_until(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + LONG_SECONDS
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.001)


def test_who_comes_while_a_call_is_under_way_shares_the_next() -> None:
    sender = Sender()

    futures = sender.run([("early", number) for number in range(5)])

    assert sender.sent == [("early", [0]), ("early", [1, 2, 3, 4])]
    assert [future.result() for future in futures] == [0, 2, 4, 6, 8]


def test_one_that_comes_alone_is_sent_at_once() -> None:
    sender = Sender()
    sender.let_go.set()

    assert sender.gathering("early", 7) == 14
    assert sender.gathering("late", 8) == 16
    assert sender.sent == [("early", [7]), ("late", [8])]


def test_the_hindmost_go_first_and_groups_never_mix() -> None:
    sender = Sender()

    sender.run([("early", 0), ("late", 1), ("early", 2), ("late", 3), ("early", 4)])

    assert sender.sent == [("early", [0]), ("early", [2, 4]), ("late", [1, 3])]


def test_a_call_carries_no_more_than_its_limit() -> None:
    sender = Sender(at_most=2)

    sender.run([("early", number) for number in range(6)])

    assert [len(items) for _, items in sender.sent] == [1, 2, 2, 1]


def test_an_error_reaches_the_one_that_it_belongs_to() -> None:
    sender = Sender()
    sender.fail = lambda number: Refused("odd", "is odd") if number == 3 else None

    futures = sender.run([("early", number) for number in range(5)])

    assert isinstance(futures[3].exception(), Refused)
    assert [future.result() for future in futures[:3] + futures[4:]] == [0, 2, 4, 8]


def test_a_call_that_breaks_off_leaves_nobody_waiting_and_an_unknown_outcome() -> None:
    sender = Sender()
    sender.crash = MemoryError()

    futures = sender.run([("early", number) for number in range(4)])

    errors = [future.exception() for future in futures[1:]]
    assert sorted(type(error).__name__ for error in errors) == ["MemoryError", "OutcomeUnknown", "OutcomeUnknown"]
    sender.crash = None
    assert sender.gathering("late", 9) == 18


@pytest.mark.parametrize("threads", [2, 16])
def test_every_thread_gets_its_own_result_whatever_the_order(threads: int) -> None:
    gathering: Gathering[str, int] = Gathering(lambda group, items: [2 * item for item in items], RANKS.__getitem__, 3)

    def work(number: int) -> list[int]:
        return [gathering("late" if (number + step) % 2 else "early", 100 * number + step) for step in range(50)]

    with ThreadPoolExecutor(threads) as pool:
        results = list(pool.map(work, range(threads)))

    assert results == [[2 * (100 * number + step) for step in range(50)] for number in range(threads)]


def test_an_unknown_outcome_is_what_a_missing_answer_means() -> None:
    gathering: Gathering[str, int] = Gathering(lambda group, items: [], RANKS.__getitem__, 3)

    with pytest.raises(OutcomeUnknown):
        gathering("early", 1)


def test_whose_time_runs_out_in_the_row_is_not_sent_and_holds_up_nobody() -> None:
    sender = Sender()
    pool = ThreadPoolExecutor(2)
    first = pool.submit(sender.gathering, "early", 1)
    wait_until(lambda: len(sender.sent) == 1)

    with all_within(0.1), pytest.raises(Transient, match="over before"):
        sender.gathering("early", 2)
    sender.let_go.set()
    pool.shutdown(wait=True)

    assert first.result() == 2
    assert sender.gathering("late", 3) == 6
    assert sender.sent == [("early", [1]), ("late", [3])]


def test_a_shared_call_has_the_time_of_whoever_has_least_and_the_hurried_go_alone() -> None:
    sender = Sender()
    lefts: list[tuple[int, float]] = []

    def send(group: str, items: Sequence[Any]) -> Sequence[int | LinesideError]:
        lefts.append((len(items), current_budget().ends_at - time.monotonic()))
        return Sender._send(sender, group, items)

    sender.gathering = Gathering(send, RANKS.__getitem__, 10)
    pool = ThreadPoolExecutor(4)

    def call(number: int, whole: float, spent: float) -> int:
        with all_by(time.monotonic() + whole - spent, whole):
            return sender.gathering("early", number)

    futures = [pool.submit(call, 0, 100, 0)]
    wait_until(lambda: len(sender.sent) == 1)
    for count, (whole, spent) in enumerate([(60.0, 0.0), (80.0, 0.0), (100.0, 95.0)], start=1):
        futures.append(pool.submit(call, count, whole, spent))
        wait_until(lambda count=count: len(sender.gathering._row) == count)
    sender.let_go.set()
    pool.shutdown(wait=True)

    assert [future.result() for future in futures] == [0, 2, 4, 6]
    assert [(count, round(left, -1)) for count, left in lefts] == [(1, 100), (1, 0), (2, 60)]


def test_who_leads_and_fails_leaves_nothing_behind_that_others_would_send() -> None:
    sender = Sender()
    sender.crash = MemoryError()

    sender.run([("early", 0), ("late", 1), ("early", 2)])
    sender.crash = None
    sender.gathering("late", 5)

    assert sorted(number for _, items in sender.sent for number in items) in ([0, 2, 5], [0, 1, 2, 5])
    assert sender.gathering._row == []
