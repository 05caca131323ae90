"""Services that some tests need: where they are looked for, and what happens where they are missing."""

from __future__ import annotations

import json
import os
import secrets
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

POSTGRES_URL = os.environ.get("LINESIDE_TEST_POSTGRES", "postgresql+psycopg://postgres@127.0.0.1:5432/postgres")
REDIS_URL = os.environ.get("LINESIDE_TEST_REDIS", "redis://127.0.0.1:6379/8")
RABBITMQ_URL = os.environ.get("LINESIDE_TEST_RABBITMQ", "amqp://guest:guest@127.0.0.1:5672//")
RABBITMQ_API = os.environ.get("LINESIDE_TEST_RABBITMQ_API", "http://127.0.0.1:15672/api")


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


def missing_service(name: str, where: str) -> NoReturn:
    """Skip on a laptop, fail in CI: a missing service must not turn promises into silence there."""
    reason = f"{name} does not answer at {where.rsplit('@', 1)[-1]}"
    if in_ci():
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def postgres_database(options: str = "TEMPLATE template1") -> Iterator[str]:
    """The address of a new PostgreSQL database, dropped afterwards. ``options`` are those of CREATE DATABASE."""
    name = f"lineside_test_{os.getpid()}_{secrets.token_hex(4)}"
    admin = create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    try:
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} {options}"))
    except OperationalError:
        missing_service("PostgreSQL", POSTGRES_URL)
    try:
        yield f"{POSTGRES_URL.rsplit('/', 1)[0]}/{name}"
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        admin.dispose()


@contextmanager
def redis_database() -> Iterator[str]:
    """The address of a Redis database that no other test process uses, emptied afterwards: the one that was named, or
    one of those after it."""
    base, _, number = REDIS_URL.rpartition("/")
    process = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    url = f"{base}/{int(number) + process}"
    with Redis.from_url(url, socket_timeout=10) as client:
        try:
            client.flushdb()
        except RedisError:
            missing_service("Redis", REDIS_URL)
        try:
            yield url
        finally:
            client.flushdb()


@contextmanager
def rabbitmq_host() -> Iterator[str]:
    """The address of a new virtual host of RabbitMQ, deleted with its queues afterwards."""
    name = f"lineside_test_{os.getpid()}_{secrets.token_hex(4)}"
    ask_rabbitmq("PUT", f"/vhosts/{name}")
    try:
        yield f"{RABBITMQ_URL.rstrip('/')}/{name}"
    finally:
        ask_rabbitmq("DELETE", f"/vhosts/{name}")


def ask_rabbitmq(method: str, path: str) -> Any:
    """One call of RabbitMQ's management API, as the user of RABBITMQ_URL; what it answers, as far as it answers."""
    address = urlsplit(RABBITMQ_URL)
    word = b64encode(f"{address.username}:{address.password}".encode()).decode()
    headers = {"Authorization": f"Basic {word}", "Content-Type": "application/json"}
    request = urllib.request.Request(RABBITMQ_API + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
    except HTTPError as error:
        if method == "DELETE" and error.code == 404:  # it ended by itself since it was listed
            return None
        raise
    except (URLError, OSError):
        missing_service("RabbitMQ's management API", RABBITMQ_API)
    return json.loads(text) if text else None


def close_connections(broker_url: str) -> int:
    """Let the broker close every connection to this virtual host or database; returns how many it closed."""
    if broker_url.startswith("amqp"):
        host = quote(urlsplit(broker_url).path[1:], safe="")
        names = [connection["name"] for connection in ask_rabbitmq("GET", f"/vhosts/{host}/connections")]
        for name in names:
            ask_rabbitmq("DELETE", f"/connections/{quote(name)}")
        return len(names)
    with Redis.from_url(broker_url.replace("redis+socket:", "unix:")) as client:
        mine = client.client_id()
        database = str(client.connection_pool.connection_kwargs.get("db") or 0)
        others = [one["id"] for one in client.client_list() if one["db"] == database and int(one["id"]) != mine]
        for number in others:
            client.client_kill_filter(_id=number)
        return len(others)
