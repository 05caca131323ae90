"""A database whose connections are cut or fall silent: whoever waits is told within bounds, and the next goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from app.store import postgres
from app.store.migrate import upgrade
from app.store.session import Store
from tests.silent_proxy import SilentProxy

pytestmark = pytest.mark.services


@pytest.fixture
def proxy(postgres_url: str) -> Iterator[SilentProxy]:
    with SilentProxy(postgres_url) as proxy:
        yield proxy


@pytest.fixture
def far_store(proxy: SilentProxy) -> Iterator[Store]:
    store = Store(proxy.url)
    yield store
    store.dispose()


def test_a_connection_that_falls_silent_is_given_up_and_the_next_works(
    proxy: SilentProxy, far_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.5)
    began = time.monotonic()

    with far_store.writing() as session:
        session.execute(text("SELECT 1"))
        proxy.swallow()
        with pytest.raises(DBAPIError):
            session.execute(text("SELECT 1"))
        session.rollback()

    _answers(far_store)
    assert time.monotonic() - began < 10


def test_a_pool_of_connections_that_fell_silent_costs_one_wait_and_no_error(
    proxy: SilentProxy, far_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.5)
    with far_store.reading() as one, far_store.reading() as other, far_store.reading() as third:
        for session in (one, other, third):
            session.execute(text("SELECT 1"))
    proxy.swallow()
    began = time.monotonic()

    for _ in range(3):
        _answers(far_store)

    assert time.monotonic() - began < 1.4


def test_connections_that_the_server_ends_are_made_anew(far_store: Store, postgres_url: str) -> None:
    _answers(far_store)
    other = Store(postgres_url)
    with other.writing() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.dispose()

    _answers(far_store)


def test_a_migration_may_take_longer_than_any_other_statement(
    far_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr("alembic.command.upgrade", lambda config, _: _sleep(config.attributes["connection"]))

    upgrade(far_store)

    with pytest.raises(DBAPIError), far_store.reading() as session:
        session.execute(text("SELECT pg_sleep(0.5)"))


def _sleep(connection: Connection) -> None:
    assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"
    connection.execute(text("SELECT pg_sleep(0.5)"))


def _answers(store: Store) -> None:
    with store.reading() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
