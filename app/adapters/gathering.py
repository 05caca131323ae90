"""Calls of several threads sent together: one call is under way at a time, and whoever comes meanwhile gathers.

Nothing waits for company: a thread that comes alone is sent at once, so a lone posting is as quick as before. Under
load the hindmost go first. Those ahead wait for them a little, and from then on all of them share every call; if the
first come went first, the threads would spread over the steps and each call would carry one or two.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from app.errors import LinesideError, OutcomeUnknown

Group = TypeVar("Group", bound=Hashable)
Result = TypeVar("Result")


@dataclass(eq=False)
class _Place(Generic[Group, Result]):
    """One thread's place in the row; woken either with its outcome, or without one to lead."""

    group: Group
    item: object
    outcome: Result | LinesideError | None = None
    woken: threading.Event = field(default_factory=threading.Event)


class Gathering(Generic[Group, Result]):
    """``send`` takes items of one group and gives each one's result or error, in order; it bounds its own time.

    ``rank`` orders the groups by how far their threads have come. As every thread asks for one thing at a time, one
    that waits is passed at most by each of the others on its way to the same step.
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
        place: _Place[Group, Result] = _Place(group, item)
        with self._lock:
            self._row.append(place)
            leads, self._has_leader = not self._has_leader, True
        if not leads:
            place.woken.wait()
            leads = place.outcome is None
        if leads:
            self._lead_until_served(place)
        if isinstance(place.outcome, LinesideError):
            raise place.outcome
        assert place.outcome is not None
        return place.outcome

    def _lead_until_served(self, place: _Place[Group, Result]) -> None:
        try:
            while place.outcome is None:
                self._send_hindmost()
        finally:
            with self._lock:
                self._has_leader = bool(self._row)
                if self._row:
                    self._row[0].woken.set()

    def _send_hindmost(self) -> None:
        with self._lock:
            group = min((place.group for place in self._row), key=self._rank)
            together = [place for place in self._row if place.group == group][: self._at_most]
            self._row = [place for place in self._row if place not in together]
        outcomes: Sequence[Result | LinesideError] = ()
        try:
            outcomes = self._send(group, [place.item for place in together])
        finally:
            for number, place in enumerate(together):
                place.outcome = outcomes[number] if number < len(outcomes) else _unanswered()
                place.woken.set()


def _unanswered() -> OutcomeUnknown:
    return OutcomeUnknown("The call that carried this one ended without an answer.")
