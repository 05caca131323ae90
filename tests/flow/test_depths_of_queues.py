"""How much lies on the queues is asked each second, so it must cost little however many plants there are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu import Connection

from app.dispatch import Dispatcher
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
