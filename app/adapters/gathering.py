"""Calls of several threads sent together: one call is under way at a time, and whoever comes meanwhile gathers.

Nothing waits for company: a thread that comes alone is sent at once, so a lone posting is as quick as before. Under
load the hindmost go first. Those ahead wait for them a little, and from then on all of them share every call; if the
first come went first, the threads would spread over the steps and each call would carry one or two.

Each thread keeps to its own budget, also while it waits for others or makes their call: a shared call ends with the
first budget of those that it carries, and whose time runs out in the row leaves it unsent.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.adapters.budget import Budget, all_by, current_budget
from app.errors import LinesideError, OutcomeUnknown, Transient

Group = TypeVar("Group", bound=Hashable)
Result = TypeVar("Result")

# Whoever has less than this part of its time left is sent alone, since it would cut the call of all others short.
HURRIED = 0.125
# A call ends by itself when its time is over; its answers are handed out within this.
HANDED_OUT_SECONDS = 1.0


@dataclass(eq=False)
class _Place(Generic[Group, Result]):
    """One thread's place in the row; woken either with its outcome, or without one to make the next call."""

    group: Group
    item: object
    budget: Budget
    outcome: Result | LinesideError | None = None
    woken: threading.Event = field(default_factory=threading.Event)

    def seconds_left(self) -> float:
        return self.budget.ends_at - time.monotonic()

    @property
    def is_hurried(self) -> bool:
        return self.budget.seconds < math.inf and self.seconds_left() < HURRIED * self.budget.seconds

    def wait(self, more: float = 0.0) -> bool:
        left = self.seconds_left() + more
        return self.woken.wait(None if left == math.inf else max(0.0, left))


class Gathering(Generic[Group, Result]):
    """``send`` takes items of one group, ``at_most`` so many, and gives each one's result or error, in order.

    ``rank`` orders the groups by how far their threads have come. As every thread asks for one thing at a time, one
    that waits is passed at most by each of the others on its way to the same step, and the row is no longer than there
    are threads.
    """

    def __init__(
        self,
        send: Callable[[Group, Sequence[object]], Sequence[Result | LinesideError]],
        rank: Callable[[Group], int],
        at_most: int,
    ) -> None:
        self._send = send
        self._rank = rank
        self._at_most = at_most
        self._row: list[_Place[Group, Result]] = []
        self._has_leader = False
        self._lock = threading.Lock()

    def __call__(self, group: Group, item: object) -> Result:
        place: _Place[Group, Result] = _Place(group, item, current_budget())
        with self._lock:
            self._row.append(place)
            if not self._has_leader:
                self._has_leader = True
                place.woken.set()
        while True:
            self._wait(place)
            if place.outcome is not None:
                break
            self._lead(place)
        if isinstance(place.outcome, LinesideError):
            raise place.outcome
        return place.outcome

    def _wait(self, place: _Place[Group, Result]) -> None:
        """Until the outcome is there, or the next call is this thread's to make; no longer than its budget lasts."""
        if place.wait():
            return
        with self._lock:
            if place.woken.is_set():
                return
            if place in self._row:
                self._row.remove(place)
                raise _out_of_time()
        if not place.wait(HANDED_OUT_SECONDS):
            raise _unanswered()

    def _lead(self, leader: _Place[Group, Result]) -> None:
        """Make one call, the hindmost's, and let whoever has most time left make the next."""
        together: Sequence[_Place[Group, Result]] = ()
        outcomes: Sequence[Result | LinesideError] = ()
        is_well = False
        try:
            together = self._hindmost(leader)
            with all_by(min(place.budget.ends_at for place in (leader, *together))):
                outcomes = self._send(together[0].group, [place.item for place in together])
            is_well = True
        finally:
            self._hand_out(together, outcomes)
            self._hand_over(leader, is_well)

    def _hindmost(self, leader: _Place[Group, Result]) -> Sequence[_Place[Group, Result]]:
        with self._lock:
            leader.woken.clear()
            if leader.seconds_left() <= 0:
                raise _out_of_time()
            in_time = [place for place in self._row if place.seconds_left() > 0 or place is leader]
            group = min((place.group for place in in_time), key=self._rank)
            alike = [place for place in in_time if place.group == group]
            hurried = [place for place in alike if place.is_hurried]
            together = hurried[:1] or alike[: self._at_most]
            self._row = [place for place in self._row if place not in together]
        return together

    def _hand_out(self, together: Sequence[_Place[Group, Result]], outcomes: Sequence[Result | LinesideError]) -> None:
        for number, place in enumerate(together):
            place.outcome = outcomes[number] if number < len(outcomes) else _unanswered()
            place.woken.set()

    def _hand_over(self, leader: _Place[Group, Result], is_well: bool) -> None:
        with self._lock:
            if not is_well and leader in self._row:
                self._row.remove(leader)  # its thread goes, and nobody may send for it
            self._has_leader = bool(self._row)
            if self._row:
                max(self._row, key=lambda place: place.budget.ends_at).woken.set()


def _unanswered() -> OutcomeUnknown:
    return OutcomeUnknown("The call that carried this one ended without an answer.")


def _out_of_time() -> Transient:
    return Transient("The time for the whole posting was over before this call of it was made.")
