"""Connections to the database, opened the same way by every process."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session

BUSY_SECONDS = 20.0
"""How long SQLite's lock is waited for."""
ASK_AGAIN_MS = 2
"""SQLite's own waiting sleeps for up to a tenth of a second at a time, in which the lock lies free."""
WAL_TRIES = 200
WAL_PAUSE_SECONDS = 0.05

READ_ONLY: dict[str, Any] = {"lineside_read_only": True}


class Store:
    """One database. ``writing`` commits when its block ends well and rolls back otherwise; ``reading`` never commits.

    On SQLite a writing block takes the write lock at once (BEGIN IMMEDIATE), since a lock asked for only at the first
    write fails without waiting when another writer came between. Whoever finds it taken sleeps and asks again, so the
    threads of one process take turns among themselves first, and one of them asks at a time.
    """

    _turns: _Turns | None = None

    def __init__(self, url: str, pool_size: int = 10) -> None:
        self.url = url
        self.engine = _engine(url, pool_size)
        if self.is_sqlite:
            self._turns = _Turns()

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self._turn(), Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    def _turn(self) -> AbstractContextManager[None]:
        return nullcontext() if self._turns is None else self._turns.turn()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.engine.connect().execution_options(**READ_ONLY) as connection, Session(connection) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """As ``reading``, but every query sees the database as it was at the first one. SQLite reads so anyway."""
        options = READ_ONLY if self.is_sqlite else READ_ONLY | {"isolation_level": "REPEATABLE READ"}
        with self.engine.connect().execution_options(**options) as connection, Session(connection) as session:
            yield session

    def dispose(self) -> None:
        self.engine.dispose()

    def forget_connections(self) -> None:
        """For a forked child: drop the parent's connections without closing them under the parent."""
        self.engine.dispose(close=False)
        if self._turns is not None:
            self._turns = _Turns()  # a thread that held it when the child was forked is not in the child


class _Turns:
    """One thread after the other. Who waits for longer than SQLite itself would is let through, to hear it there; what
    another holds is not given back by that, nor by a block that a thread opens within its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        is_mine = self._lock.acquire(timeout=BUSY_SECONDS)
        try:
            yield
        finally:
            if is_mine:
                self._lock.release()


def _engine(url: str, pool_size: int) -> Engine:
    """Its errors name no parameters (``hide_parameters``): these hold what senders wrote, and errors are logged."""
    if url.startswith("sqlite"):
        engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=pool_size,
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    from app.store.postgres import postgres_engine  # its driver takes 9 MB, which nobody on SQLite needs

    return postgres_engine(url, pool_size)


def allow_long_statements(connection: Connection) -> None:
    """For a migration, which may rewrite a large table; until the transaction ends, and this connection with it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        wrapped: Any = connection.connection.dbapi_connection
        wrapped.answers_in_time = False
        connection.detach()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; _begin_sqlite does
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _switch_to_wal(cursor: Any) -> None:
    """A database is in WAL mode for good once it was switched. The switch itself does not wait for a lock as all else
    does (SQLite answers "locked" at once), so processes that open a new database together take turns here."""
    for _ in range(WAL_TRIES):
        try:
            if cursor.execute("PRAGMA journal_mode=WAL").fetchone()[0] == "wal":
                return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise  # a full disk, say, which waiting here would not mend
            time.sleep(WAL_PAUSE_SECONDS)
    cursor.execute("PRAGMA journal_mode=WAL")


def _begin_sqlite(connection: Connection) -> None:
    if connection.get_execution_options().get("lineside_read_only", False):
        connection.exec_driver_sql("BEGIN")
    else:
        _take_the_write_lock(connection)


def _take_the_write_lock(connection: Connection) -> None:
    """Ask for it every millisecond; the last time as SQLite does, which raises what SQLite raises."""
    driver: Any = connection.connection.dbapi_connection
    until = time.monotonic() + BUSY_SECONDS
    driver.execute(f"PRAGMA busy_timeout={ASK_AGAIN_MS}")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break  # to be told as any statement's trouble is
            else:
                return
    finally:
        driver.execute(f"PRAGMA busy_timeout={BUSY_SECONDS * 1000:.0f}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")
