"""The database and the broker of a run: its own, made for it and dropped after it, and how each of them is troubled."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from app.bench.gate import Gate

AWAY_SECONDS = 5.0
CUT_SECONDS = 3.0

Act = Callable[[], None]


class GroundMissing(Exception):
    """The server that was to give this stack its database or broker does not; the text says which."""


class GroundFailed(Exception):
    """A server that gave us what we needed does not do what it is told in the middle of a run."""


@dataclass(frozen=True)
class Database:
    """``cut`` ends every connection, or locks everybody out for a while where there are none."""

    url: str
    cut: Act


@dataclass(frozen=True)
class Broker:
    """``url`` is empty for the embedded one. ``away`` gives what brings it back."""

    url: str
    flush: Act
    restart: Callable[[Mapping[str, int]], None]
    away: Callable[[Mapping[str, int]], Act]


@contextmanager
def sqlite_database(home: Path) -> Iterator[Database]:
    path = home / "lineside.db"

    def lock_out() -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=20)) as connection:
            connection.execute("BEGIN EXCLUSIVE")
            threading.Event().wait(CUT_SECONDS)
            connection.execute("ROLLBACK")

    def cut() -> None:
        threading.Thread(target=lock_out, name="lock-out", daemon=True).start()

    yield Database(f"sqlite:///{path}", cut)


@contextmanager
def postgres_database(server_url: str) -> Iterator[Database]:
    """A new database on this server; ``server_url`` names one that may be connected to meanwhile."""
    name = f"lineside_bench_{os.getpid()}_{secrets.token_hex(4)}"
    url = with_psycopg(server_url)
    admin = create_engine(url, isolation_level="AUTOCOMMIT")

    def run(statement: str, **values: Any) -> None:
        with admin.connect() as connection:
            connection.execute(text(statement), values)

    def cut() -> None:
        run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name", name=name)

    try:
        run(f"CREATE DATABASE {name}")
    except DBAPIError as error:
        raise GroundMissing(f"PostgreSQL gives no database: {str(error.orig).strip().splitlines()[0]}") from None
    try:
        yield Database(f"{url.rsplit('/', 1)[0]}/{name}", cut)
    finally:
        run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        admin.dispose()


def with_psycopg(server_url: str) -> str:
    """The same address with the driver that Lineside uses."""
    return "postgresql+psycopg" + server_url[server_url.index("://") :]


@contextmanager
def embedded_broker(home: Path) -> Iterator[Broker]:
    def flush() -> None:
        with suppress(RedisError), Redis.from_url(f"unix://{home / 'run' / 'valkey.sock'}") as client:
            client.flushall()

    def restart(pids: Mapping[str, int]) -> None:
        _signal(pids, signal.SIGKILL)

    def away(pids: Mapping[str, int]) -> Act:
        _signal(pids, signal.SIGSTOP)
        return lambda: _signal(pids, signal.SIGCONT)

    yield Broker("", flush, restart, away)


def _signal(pids: Mapping[str, int], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, KeyError):
        os.kill(pids["valkey"], number)


@contextmanager
def virtual_host(server_url: str) -> Iterator[str]:
    """The name of a new virtual host of this broker."""
    name = f"lineside_bench_{os.getpid()}_{secrets.token_hex(4)}"
    ask = _management(server_url)
    try:
        ask("PUT", f"/vhosts/{name}")
    except GroundFailed as failure:
        raise GroundMissing(str(failure)) from None
    try:
        yield name
    finally:
        ask("DELETE", f"/vhosts/{name}")


@contextmanager
def rabbitmq_host(server_url: str) -> Iterator[Broker]:
    """A new virtual host of this broker, reached through a gate that can be shut."""
    with virtual_host(server_url) as name:
        yield from _gated(server_url, name)


def _gated(server_url: str, name: str) -> Iterator[Broker]:
    server, ask = urlsplit(server_url), _management(server_url)

    def flush() -> None:
        # Celery's own mailboxes belong to one connection, and nobody else may empty them.
        for queue in (queue for queue in ask("GET", f"/queues/{name}") if not queue["exclusive"]):
            ask("DELETE", f"/queues/{name}/{quote(queue['name'])}/contents")

    def restart(_pids: Mapping[str, int]) -> None:
        for connection in ask("GET", f"/vhosts/{name}/connections"):
            ask("DELETE", f"/connections/{quote(connection['name'])}")

    with ExitStack() as ending:
        gate = ending.enter_context(Gate(server.hostname or "127.0.0.1", server.port or 5672))

        def away(_pids: Mapping[str, int]) -> Act:
            gate.shut()
            return gate.open

        word = f"{server.username or 'guest'}:{server.password or 'guest'}"
        yield Broker(f"amqp://{word}@127.0.0.1:{gate.port}/{name}", flush, restart, away)


def _management(server_url: str) -> Callable[[str, str], Any]:
    """Calls of RabbitMQ's management API as the broker's user, where RabbitMQ has it by itself."""
    server = urlsplit(server_url)
    word = base64.b64encode(f"{server.username or 'guest'}:{server.password or 'guest'}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
    base = f"http://{server.hostname or '127.0.0.1'}:15672/api"

    def ask(method: str, path: str) -> Any:
        try:
            answer = urllib3.request(method, base + path, headers=headers, timeout=10, retries=False)
        except (urllib3.exceptions.HTTPError, OSError):
            raise GroundFailed(f"RabbitMQ's management API does not answer at {base}") from None
        if answer.status >= 400 and answer.status != 404:
            raise GroundFailed(f"RabbitMQ's management API refuses {method} {path} ({answer.status})")
        return json.loads(answer.data) if answer.data and answer.status < 400 else []

    return ask


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
