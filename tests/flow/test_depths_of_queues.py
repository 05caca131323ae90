"""How much lies on the queues is asked each second, so it must cost little however many plants there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from app import dispatch
from app.dispatch import TAKEN_ALONG, Dispatcher
from config.queues import plant_queues
from config.settings import load_settings
from tests.services import rabbitmq_host, redis_database

pytestmark = [pytest.mark.services]

PLANTS = tuple(f"T{letter}" for letter in "ABCD")
BROKERS = {"redis": redis_database, "rabbitmq": rabbitmq_host}


@pytest.fixture(params=BROKERS)
def dispatcher(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dispatcher]:
    with BROKERS[request.param]() as broker_url:
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_BROKER_URL": broker_url}
        dispatcher = Dispatcher(load_settings(environment), PLANTS)
        dispatcher.declare_queues(PLANTS)
        yield dispatcher
        dispatcher.close()


def test_the_depths_of_all_queues_are_asked_over_one_channel(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for plant in PLANTS[:2]:
        assert dispatcher.send_permits(plant, "transform", 1)
    opened, made = [], Connection.channel

    def counted(connection: Connection) -> Any:
        opened.append(connection)
        return made(connection)

    monkeypatch.setattr(Connection, "channel", counted)
    depths = dispatcher.depths([name for plant in PLANTS for name in plant_queues(plant)])

    assert {name for name, depth in depths.items() if depth} == {"plant.TA.work", "plant.TB.work"}
    assert len(depths) == 3 * len(PLANTS)
    assert len(opened) == 1


def test_where_a_permit_lies_what_comes_meanwhile_needs_none(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a plant that is behind works in batches, instead of working off a permit for each message."""
    monkeypatch.setattr(dispatch, "BUSY_SECONDS", 60.0)

    def lying() -> int:
        dispatcher.close()  # once what is pending was sent
        return dispatcher.depths(["plant.TA.work"])["plant.TA.work"]

    found = []
    for count in (1, 1, 5, TAKEN_ALONG + 1):
        dispatcher.nudge("TA", count)
        found.append(lying())

    assert found == [1, 1, 1, 2]


def test_a_plant_that_was_quiet_gets_its_permit_at_once(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatch, "BUSY_SECONDS", 0.0)

    for _ in range(2):
        dispatcher.nudge("TA", 1)
        dispatcher.close()

    assert dispatcher.depths(["plant.TA.work"]) == {"plant.TA.work": 2}
