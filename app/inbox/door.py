"""Where messages enter: stored and committed first, then their plants are nudged, then the sender is answered.

Requests that arrive while a commit is under way share the next one: the commit is what costs, and on SQLite sixteen
threads that each ask for the write lock spend most of their time asleep.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Protocol

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError

from app.errors import LinesideError
from app.inbox.accept import Acceptance, Incoming, accept_messages
from app.store.session import Store

MESSAGES_A_COMMIT = 500
# Longer than the database's own waits: whoever still waits then is told to come again, and a repeat is recognised.
WAIT_SECONDS = 45.0


class Nudges(Protocol):
    def nudge(self, plant: str, count: int) -> None:
        """Ask soon for ``count`` messages of the plant to be worked on; never blocks and never raises."""


class DoorBusy(LinesideError):
    """The messages did not get their turn in time; whether they were stored, a repeat will tell."""


@dataclass(eq=False)
class _Request:
    """One request's messages. Once ``turn`` is set it has its answers or its error, or, with neither, it leads."""

    incoming: Sequence[Incoming]
    turn: Event = field(default_factory=Event)
    acceptances: list[Acceptance] | None = None
    error: BaseException | None = None


class Door:
    """Every web request stores its messages through here. One thread at a time leads: it commits what all that wait
    have brought, and hands the lead to the first that came meanwhile. Alone, a request waits for nobody."""

    def __init__(self, store: Store, nudges: Nudges, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._nudges = nudges
        self._clock = clock
        self._lock = Lock()
        self._waiting: deque[_Request] = deque()
        self._led = False

    def admit(self, incoming: Sequence[Incoming]) -> list[Acceptance]:
        """Store these messages; one answer each, in order. Raises what the database raises, and then nothing of them
        was accepted."""
        if not incoming:
            return []
        request = _Request(incoming)
        with self._lock:
            self._waiting.append(request)
            leads, self._led = not self._led, True
        if not leads and not request.turn.wait(WAIT_SECONDS):
            self._give_up(request)
        if request.acceptances is None and request.error is None:
            self._lead()
        if request.error is not None:
            raise request.error
        assert request.acceptances is not None
        self._nudge(incoming, request.acceptances)
        return request.acceptances

    def _give_up(self, request: _Request) -> None:
        with self._lock:
            if request.turn.is_set():
                return  # its turn came at the last moment
            if request in self._waiting:
                self._waiting.remove(request)
        raise DoorBusy("The messages before these are still being stored.")

    def _lead(self) -> None:
        """Commit for all that wait, the leader's own messages first; then hand on the lead, whatever happened."""
        with self._lock:
            batch = self._take()
        try:
            self._store_batch(batch)
        except BaseException as error:
            for request in batch:  # what ends the leader's thread is not for the others
                told = error if isinstance(error, Exception) else DoorBusy("The commit was broken off.")
                request.error = request.error or told
            raise
        finally:
            with self._lock:
                for request in batch:
                    request.turn.set()
                self._led = bool(self._waiting)
                if self._waiting:
                    self._waiting[0].turn.set()

    def _take(self) -> list[_Request]:
        batch = [self._waiting.popleft()]
        count = len(batch[0].incoming)
        while self._waiting and count + len(self._waiting[0].incoming) <= MESSAGES_A_COMMIT:
            batch.append(self._waiting.popleft())
            count += len(batch[-1].incoming)
        return batch

    def _store_batch(self, batch: Sequence[_Request]) -> None:
        try:
            self._commit(batch)
        except (DataError, IntegrityError, ProgrammingError) as error:
            # Something in one of them: each by itself, so that it fails alone.
            if len(batch) == 1:
                batch[0].error = error
                return
            for request in batch:
                self._store_batch([request])

    def _commit(self, batch: Sequence[_Request]) -> None:
        every = [message for request in batch for message in request.incoming]
        with self._store.writing() as session:
            acceptances = accept_messages(session, every, self._clock())
        start = 0
        for request in batch:
            end = start + len(request.incoming)
            request.acceptances = acceptances[start:end]
            start = end

    def _nudge(self, incoming: Sequence[Incoming], acceptances: Sequence[Acceptance]) -> None:
        new = Counter(
            message.plant
            for message, acceptance in zip(incoming, acceptances, strict=True)
            if acceptance.status == "accepted"
        )
        for plant, count in new.items():
            self._nudges.nudge(plant, count)
