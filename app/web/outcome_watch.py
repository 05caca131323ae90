"""Wait for what becomes of a message, for a bounded time and by a bounded number of requests.

All that wait in one process are asked for together, by one look at the messages' primary keys, more and more seldom the
longer they wait. No transaction is open between two looks, and no request waits that would take the last threads.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum, auto
from threading import Condition, Event, Thread
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from app.inbox.states import TERMINAL, State
from app.store.messages_tables import Message
from app.store.session import Store

log = structlog.get_logger()

FIRST_PAUSE_SECONDS = 0.02
LAST_PAUSE_SECONDS = 0.5
IDLE_SECONDS = 30.0


class Waited(Enum):
    """``ENDED``: the message has ended, or is dead. ``NOT_SOON``: it waits for something, or for longer than the caller
    would. ``NO_ROOM``: too many wait already."""

    ENDED = auto()
    NOT_SOON = auto()
    TIME_OVER = auto()
    NO_ROOM = auto()


@dataclass(eq=False)
class _Waiter:
    message_id: int
    since: float
    until: float
    told: Event = field(default_factory=Event)
    found: Waited = Waited.TIME_OVER


class OutcomeWatch:
    """One of a process. ``most``: how many requests may wait at once; with 0 none ever does."""

    def __init__(self, store: Store, most: int, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._most = most
        self._clock = clock
        self._changed = Condition()
        self._waiters: list[_Waiter] = []
        self._thread: Thread | None = None

    def wait(self, message_id: int, seconds: float) -> Waited:
        """Until the message has ended or dies, and no longer than ``seconds``, whatever the database does."""
        now = time.monotonic()
        waiter = _Waiter(message_id, now, now + seconds)
        with self._changed:
            if len(self._waiters) >= self._most:
                return Waited.NO_ROOM
            self._waiters.append(waiter)
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._watch, name="outcomes", daemon=True)
                self._thread.start()
            self._changed.notify()
        waiter.told.wait(seconds)
        with self._changed:
            self._waiters.remove(waiter)
        return waiter.found

    def _watch(self) -> None:
        while True:
            with self._changed:
                if not self._waiting() and not self._changed.wait_for(self._waiting, IDLE_SECONDS):
                    self._thread = None
                    return
                youngest = max((waiter.since for waiter in self._waiting()), default=0.0)
                self._changed.wait(_pause(time.monotonic() - youngest))
                waiting = self._waiting()
            try:
                self._look(waiting)
            except SQLAlchemyError as error:  # whoever waits goes on waiting, and is answered when its time is over
                log.warning("outcomes_not_seen", error=type(error).__name__)

    def _waiting(self) -> list[_Waiter]:
        return [waiter for waiter in self._waiters if not waiter.told.is_set()]

    def _look(self, waiting: Sequence[_Waiter]) -> None:
        if not waiting:
            return
        query = select(Message.id, Message.state, Message.due_at, Message.waiting_for)
        with self._store.reading() as session:
            rows = session.execute(query.where(Message.id.in_({one.message_id for one in waiting}))).all()
        found = {row.id: row for row in rows}
        for waiter in waiting:
            row = found.get(waiter.message_id)
            if row is not None and (ending := self._ending(row, waiter)) is not None:
                waiter.found = ending
                waiter.told.set()

    def _ending(self, row: Any, waiter: _Waiter) -> Waited | None:
        if row.state == State.DEAD or row.state in TERMINAL:
            return Waited.ENDED
        left = timedelta(seconds=max(0.0, waiter.until - time.monotonic()))
        waits = row.state == State.WAITING
        is_late = waits and row.due_at is not None and row.due_at > self._clock() + left
        return Waited.NOT_SOON if is_late or (waits and row.waiting_for is not None) else None


def _pause(age_seconds: float) -> float:
    return min(LAST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, age_seconds / 4))
