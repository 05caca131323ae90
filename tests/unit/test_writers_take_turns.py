"""Writers of an SQLite database wait for each other, and no longer than they may."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.store import session as sessions
from app.store.session import Store
from app.store.trouble import is_database_trouble


@pytest.fixture
def counter(tmp_path: Path) -> Store:
    store = Store(f"sqlite:///{tmp_path / 'counter.db'}")
    with store.writing() as session:
        session.execute(text("CREATE TABLE counter (value INTEGER)"))
        session.execute(text("INSERT INTO counter VALUES (0)"))
    return store


def set_to(store: Store, value: int) -> None:
    with store.writing() as session:
        session.execute(text("UPDATE counter SET value = :value"), {"value": value})


def test_no_write_of_many_threads_and_stores_is_lost(counter: Store) -> None:
    beside = Store(counter.url)

    def add(number: int) -> None:
        with (counter if number % 2 else beside).writing() as session:
            value = session.execute(text("SELECT value FROM counter")).scalar_one()
            session.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(200)))

    with counter.reading() as session:
        assert session.execute(text("SELECT value FROM counter")).scalar_one() == 200
    beside.dispose()
    counter.dispose()


def test_who_waits_in_vain_is_told_what_sqlite_tells(counter: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "BUSY_SECONDS", 0.1)
    with closing(sqlite3.connect(counter.engine.url.database or "", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(OperationalError) as told:
            set_to(counter, 1)

        assert is_database_trouble(told.value)
        other.execute("ROLLBACK")
    set_to(counter, 7)
    counter.dispose()


def test_who_holds_its_turn_too_long_lets_others_hear_it_from_sqlite(
    counter: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "BUSY_SECONDS", 0.1)

    with counter.writing() as session, ThreadPoolExecutor(1) as threads:
        session.execute(text("UPDATE counter SET value = 1"))
        error = threads.submit(set_to, counter, 2).exception(timeout=30)

    assert isinstance(error, OperationalError)
    set_to(counter, 3)
    counter.dispose()


def test_a_block_within_a_block_of_its_thread_is_told_so_and_takes_nobody_the_turn_for_good(
    counter: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "BUSY_SECONDS", 0.1)
    with counter.writing() as session:
        session.execute(text("UPDATE counter SET value = 1"))
        with pytest.raises(OperationalError):
            set_to(counter, 2)

    monkeypatch.setattr(sessions, "BUSY_SECONDS", 20.0)
    assert seconds_to_set(counter, 3) < 10


def test_a_forked_child_does_not_wait_for_a_thread_that_it_does_not_have(counter: Store) -> None:
    with counter.writing():  # nothing is asked of the database yet
        counter.forget_connections()
        assert seconds_to_set(counter, 3) < 10


def seconds_to_set(store: Store, value: int) -> float:
    began = time.monotonic()
    set_to(store, value)
    return time.monotonic() - began
