"""Permits carry the work from the inbox to the targets on every broker, and losing them costs nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from app.clock import utc_now
from app.dead_letters.repair import requeue
from app.inbox.lanes import ensure_lanes
from app.projections.items import save_items
from app.stack.programs import ROLES
from config.queues import dead_queue
from tests.factories import accept, move_event
from tests.flow.stack import Stack, running_stack
from tests.reading import states
from tests.services import close_connections, postgres_database

pytestmark = pytest.mark.services

STACKS = [("sqlite", "valkey"), ("sqlite", "redis"), ("postgresql", "rabbitmq")]


@pytest.fixture(scope="module", params=STACKS, ids=lambda pair: "+".join(pair))
def stack(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One installation for all these tests, since a start takes seconds; each starts what it needs and is not there."""
    database, broker = request.param
    path = tmp_path_factory.mktemp("permits")
    with ExitStack() as ending:
        if database == "sqlite":
            shutil.copyfile(request.getfixturevalue("sqlite_template"), path / "lineside.db")
            url = f"sqlite:///{path / 'lineside.db'}"
        else:
            template = request.getfixturevalue("postgres_template")
            url = ending.enter_context(postgres_database(f"TEMPLATE {template}"))
        stack = ending.enter_context(running_stack(path, url, broker))
        with stack.store.writing() as session:
            ensure_lanes(session, [(plant.code, plant.lanes) for plant in stack.topology.plants.values()])
            items = [{"code": "WHEEL-10", "description": "Wheel", "base_uom": "EA", "units": {}}]
            save_items(session, items, "erp", utc_now())
        yield stack


def _start_all(stack: Stack) -> None:
    stack.start(*(role for role in ROLES if role not in stack.processes))
    if "beat" not in stack.processes:
        stack.start_beat()


def _send(stack: Stack, plant: str, *names: str, nudge: bool = True, **fields: str) -> list[int]:
    ids = accept(stack.store, *(move_event(name, plant=plant, **fields) for name in names), at=utc_now())
    if nudge:
        stack.dispatcher.nudge(plant, len(ids))
    return ids


def _all_posted(stack: Stack, ids: list[int]) -> bool:
    return set(states(stack.store, *ids)) == {"posted"}


def _held(stack: Stack) -> int:
    return sum(stack.wms.books.counts()["documents"].values())


def test_a_wiped_broker_and_a_killed_worker_lose_and_double_nothing(stack: Stack) -> None:
    plant, before = stack.plants[0], _held(stack)
    for name in {"relay", "beat"} & stack.processes.keys():
        stack.kill(name)
    stack.start(*(role for role in ("work", "post") if role not in stack.processes))
    ids = _send(stack, plant, *(f"w{n}" for n in range(60)))
    stack.wait_until(lambda: _held(stack) > before, what="the first posting")

    stack.kill("post")
    stack.kill("work")
    _purge(stack)
    _start_all(stack)
    stack.wait_until(lambda: _all_posted(stack, ids), seconds=90, what="every message posted")

    assert _held(stack) == before + 60
    assert stack.wms.books.sent_again == 0


def test_messages_go_all_the_way_and_stand_once_in_the_targets_books(stack: Stack) -> None:
    first, second = stack.plants
    before = _held(stack)
    _start_all(stack)

    ids = [
        *_send(stack, first, *(f"a{n}" for n in range(20))),
        *_send(stack, second, *(f"b{n}" for n in range(20))),
    ]
    stack.wait_until(lambda: _all_posted(stack, ids), what="every message posted")

    assert _held(stack) == before + 40


def test_connections_that_the_broker_closes_cost_seconds_and_no_message(stack: Stack) -> None:
    plant, before = stack.plants[0], _held(stack)
    _start_all(stack)
    ids = _send(stack, plant, "c1")
    stack.wait_until(lambda: _all_posted(stack, ids), what="the first message posted")

    # RabbitMQ lists a connection only some seconds after it was made.
    stack.wait_until(lambda: close_connections(stack.settings.broker_url) >= 4, what="connections closed")
    ids += _send(stack, plant, *(f"c{n}" for n in range(2, 22)), nudge=False)
    stack.wait_until(lambda: _all_posted(stack, ids), seconds=40, what="every message posted")

    assert _held(stack) == before + 21


def test_nothing_needs_the_ingress_to_reach_the_broker(stack: Stack) -> None:
    _start_all(stack)

    ids = _send(stack, stack.plants[0], "n1", "n2", nudge=False)

    stack.wait_until(lambda: _all_posted(stack, ids), what="every message posted")


def test_the_dead_queue_mirrors_the_database_and_empties_when_requeued(stack: Stack) -> None:
    plant = stack.plants[0]
    _start_all(stack)
    dead = _send(stack, plant, "x1", "x2", "x3", type="no.such.type")

    stack.wait_until(lambda: set(states(stack.store, *dead)) == {"dead"}, what="three dead letters")
    stack.wait_until(lambda: _depth(stack, plant) == 3, what="three messages on the dead queue")
    stack.kill("work")
    with stack.store.writing() as session:
        requeue(session, dead[:2], "ada", utc_now())

    stack.wait_until(lambda: _depth(stack, plant) == 1, what="one message on the dead queue")


def _depth(stack: Stack, plant: str) -> int:
    return stack.dispatcher.depths([dead_queue(plant)])[dead_queue(plant)]


def _purge(stack: Stack) -> None:
    from kombu import Connection

    from config.queues import plant_queues

    with Connection(stack.settings.broker_url) as connection, connection.channel() as channel:
        for plant in stack.plants:
            for name in plant_queues(plant):
                channel.queue_purge(name)
