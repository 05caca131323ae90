"""Live processes, two of each that drives the others, while their broker and database are cut, silent, killed or held:
nothing is lost, nothing doubled, and nobody restarts anything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.clock import utc_now
from app.inbox.lanes import ensure_lanes
from app.projections.items import save_items
from app.stack import programs, valkey
from tests.factories import accept, move_event
from tests.flow.stack import Stack, running_stack
from tests.reading import states
from tests.services import postgres_database
from tests.silent_proxy import SilentProxy

pytestmark = [pytest.mark.services, pytest.mark.slow]

Far = tuple[Stack, SilentProxy]


@pytest.fixture(scope="module")
def far(postgres_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Far]:
    """PostgreSQL, and RabbitMQ behind a proxy; one installation for all these tests, since a start takes seconds."""
    proxies: list[SilentProxy] = []

    def by_way_of_a_proxy(url: str) -> str:
        proxies.append(SilentProxy(url).__enter__())
        return proxies[0].url

    path = tmp_path_factory.mktemp("far")
    with (
        postgres_database(f"TEMPLATE {postgres_template}") as url,
        running_stack(path, url, "rabbitmq", plants=1, by_way_of=by_way_of_a_proxy) as stack,
    ):
        _begin(stack)
        yield stack, proxies[0]
    proxies[0].__exit__(None, None, None)


@pytest.fixture(scope="module")
def near(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """SQLite and the embedded broker, for all tests together too."""
    path = tmp_path_factory.mktemp("near")
    (path / "lineside.db").write_bytes(sqlite_template.read_bytes())
    with running_stack(path, f"sqlite:///{path / 'lineside.db'}", "valkey", plants=1) as stack:
        _begin(stack)
        yield stack


def test_two_beats_and_two_relays_double_nothing(far: Far) -> None:
    stack, _ = far

    ids = _accept(stack, 40)

    _all_posted_once(stack, ids)


def test_database_connections_that_are_ended_lose_and_double_nothing(far: Far) -> None:
    stack, _ = far
    ids = _accept(stack, 60)

    for _ in range(2):
        posted = _posted(stack)
        stack.wait_until(lambda was=posted: _posted(stack) > was, what="one more posting")  # type: ignore[misc]
        _end_connections(stack)

    _all_posted_once(stack, ids)


def test_the_work_goes_on_while_the_broker_is_away(far: Far) -> None:
    stack, proxy = far
    proxy.refuse()

    ids = _accept(stack, 5)

    _all_posted_once(stack, ids)
    proxy.refuse(False)


def test_the_work_goes_on_while_the_broker_is_silent(far: Far) -> None:
    stack, proxy = far
    _all_posted_once(stack, _accept(stack, 1))
    proxy.swallow()

    ids = _accept(stack, 5)

    _all_posted_once(stack, ids)


def test_an_embedded_broker_that_is_killed_and_started_again_loses_and_doubles_nothing(near: Stack) -> None:
    posted = _posted(near)
    ids = _accept(near, 40)
    near.wait_until(lambda: _posted(near) > posted, what="the first posting")

    near.kill("valkey")
    ids += _accept(near, 10)
    near.launch("valkey", valkey.program(near.settings))

    _all_posted_once(near, ids)


def test_a_database_file_that_another_program_holds_for_seconds_loses_and_doubles_nothing(near: Stack) -> None:
    ids = _accept(near, 200)

    other = sqlite3.connect(near.settings.database_url.removeprefix("sqlite:///"), isolation_level=None, timeout=20)
    other.execute("BEGIN EXCLUSIVE")
    left = len(near.accepted) - _posted(near)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        _try_to_write(near)
    other.execute("ROLLBACK")
    other.close()

    assert left > 0
    _all_posted_once(near, ids)


def _begin(stack: Stack) -> None:
    with stack.store.writing() as session:
        ensure_lanes(session, [(plant.code, plant.lanes) for plant in stack.topology.plants.values()])
        items = [{"code": "WHEEL-10", "description": "Wheel", "base_uom": "EA", "units": {}}]
        save_items(session, items, "erp", utc_now())
    stack.start("work", "post", "relay")
    stack.start_beat()
    stack.launch("other-relay", programs.worker(stack.settings, stack.plants, "relay"))
    stack.launch("other-beat", programs.beat(stack.settings))
    _all_posted_once(stack, _accept(stack, 1))


def _accept(stack: Stack, count: int) -> list[int]:
    """Nobody nudges: it is the relay, or nobody, that brings it about."""
    start = len(stack.accepted)
    stack.accepted += accept(
        stack.store,
        *(move_event(f"m{number}", plant=stack.plants[0]) for number in range(start, start + count)),
        at=utc_now(),
    )
    return stack.accepted[start:]


def _posted(stack: Stack) -> int:
    return sum(stack.wms.books.counts()["documents"].values())


def _all_posted_once(stack: Stack, ids: list[int]) -> None:
    stack.wait_until(lambda: set(states(stack.store, *ids)) == {"posted"}, what="every message posted")
    assert _posted(stack) == len(stack.accepted)


def _end_connections(stack: Stack) -> None:
    with stack.store.writing() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )


def _try_to_write(stack: Stack) -> None:
    """For some seconds."""
    path = stack.settings.database_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None, timeout=3)
    try:
        connection.execute("BEGIN IMMEDIATE")
    finally:
        connection.close()
