"""The door: requests that arrive together share a commit, and none pays for another's fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session

from app.inbox import door as door_module
from app.inbox.door import Door, DoorBusy
from app.store.session import Store
from tests.factories import NOON, move_event
from tests.web import Nudged


class HeldStore:
    """A store whose first transaction waits until it is let go, so that requests gather behind it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.entered, self.go = Event(), Event()

    @contextmanager
    def writing(self) -> Iterator[Session]:
        if not self.entered.is_set():
            self.entered.set()
            assert self.go.wait(10)
        with self._store.writing() as session:
            yield session


@pytest.fixture
def commits(sqlite_store: Store) -> list[int]:
    seen: list[int] = []
    event.listen(sqlite_store.engine, "commit", lambda _connection: seen.append(1))
    return seen


def gather(door: Door, held: HeldStore, count: int, make: Callable[[int], Any]) -> list[Future[Any]]:
    """One request under way and ``count`` behind it, then all let go; their futures, the leader's first."""
    with ThreadPoolExecutor(count + 1) as pool:
        futures = [pool.submit(door.admit, [make(0)])]
        assert held.entered.wait(10)
        futures += [pool.submit(door.admit, [make(number)]) for number in range(1, count + 1)]
        while len(door._waiting) < count:
            held.go.wait(0.001)
        held.go.set()
    return futures


def test_requests_that_wait_together_share_one_commit(sqlite_store: Store, commits: list[int]) -> None:
    held, nudged = HeldStore(sqlite_store), Nudged()
    door = Door(held, nudged, lambda: NOON)  # type: ignore[arg-type]

    futures = gather(door, held, 6, lambda number: move_event(f"m{number}"))

    answers = [future.result()[0] for future in futures]
    assert len(commits) == 2
    assert {answer.status for answer in answers} == {"accepted"}
    assert len({answer.id for answer in answers}) == 7
    assert nudged.plants == [("P100", 1)] * 7


def test_of_equal_messages_in_one_commit_one_is_accepted_and_the_others_repeat_it(sqlite_store: Store) -> None:
    held = HeldStore(sqlite_store)
    door = Door(held, Nudged(), lambda: NOON)  # type: ignore[arg-type]

    futures = gather(door, held, 5, lambda number: move_event("same"))

    answers = [future.result()[0] for future in futures]
    assert sorted(answer.status for answer in answers) == ["accepted", *["repeat"] * 5]
    assert len({answer.id for answer in answers}) == 1


def test_a_message_that_the_database_cannot_hold_fails_alone(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldStore(sqlite_store)
    door = Door(held, Nudged(), lambda: NOON)  # type: ignore[arg-type]
    accept = door_module.accept_messages

    def refuses_one(session: Session, incoming: Any, now: Any) -> Any:
        if any(message.source_message_id == "m3" for message in incoming):
            raise DataError("INSERT", {}, Exception("invalid byte sequence"))
        return accept(session, incoming, now)

    monkeypatch.setattr(door_module, "accept_messages", refuses_one)

    futures = gather(door, held, 5, lambda number: move_event(f"m{number}"))

    assert isinstance(futures[3].exception(), DataError)
    assert [future.result()[0].status for future in futures if future is not futures[3]] == ["accepted"] * 5


def test_when_the_database_is_gone_all_that_wait_are_told_and_the_door_opens_again(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = HeldStore(sqlite_store)
    door = Door(held, Nudged(), lambda: NOON)  # type: ignore[arg-type]

    def gone(*_: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("database or disk is full"))

    with monkeypatch.context() as patch:
        patch.setattr(door_module, "accept_messages", gone)
        futures = gather(door, held, 4, lambda number: move_event(f"m{number}"))

    assert all(isinstance(future.exception(), OperationalError) for future in futures)
    assert door.admit([move_event("after")])[0].status == "accepted"


def test_a_request_whose_turn_does_not_come_is_told_so_and_holds_nobody(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door_module, "WAIT_SECONDS", 0.05)
    held = HeldStore(sqlite_store)
    door = Door(held, Nudged(), lambda: NOON)  # type: ignore[arg-type]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(door.admit, [move_event("first")])
        assert held.entered.wait(10)

        with pytest.raises(DoorBusy):
            door.admit([move_event("second")])
        held.go.set()

    assert first.result()[0].status == "accepted"
    assert door.admit([move_event("third")])[0].status == "accepted"


def test_many_threads_lose_and_double_nothing(store: Store) -> None:
    door = Door(store, Nudged(), lambda: NOON)

    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda number: door.admit([move_event(f"m{number % 150}")])[0], range(300)))

    assert sorted(answer.status for answer in answers) == ["accepted"] * 150 + ["repeat"] * 150
    assert len({answer.id for answer in answers}) == 150
