"""A broker that falls silent, is cut off or is away costs latency: whoever asks it is told, and the work goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from app.dispatch import Dispatcher
from config import broker
from config.queues import work_queue
from config.settings import load_settings
from tests.services import rabbitmq_host, redis_database
from tests.silent_proxy import SilentProxy

pytestmark = pytest.mark.services

BROKERS = {"redis": redis_database, "rabbitmq": rabbitmq_host}


@contextmanager
def far_dispatcher(name: str) -> Iterator[tuple[SilentProxy, Dispatcher]]:
    with BROKERS[name]() as url, SilentProxy(url) as proxy:
        dispatcher = Dispatcher(load_settings({"LINESIDE_BROKER_URL": proxy.url}), ["P100"])
        dispatcher.declare_queues(["P100"])
        yield proxy, dispatcher
        dispatcher.close()


@pytest.mark.parametrize("name", BROKERS)
def test_who_sends_over_a_connection_that_fell_silent_waits_within_bounds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(broker, "ANSWER_SECONDS", 1)
    with far_dispatcher(name) as (proxy, dispatcher):
        assert dispatcher.send_permits("P100", "transform", 1)
        proxy.swallow()
        began = time.monotonic()

        dispatcher.send_permits("P100", "transform", 1)
        went = dispatcher.send_permits("P100", "transform", 1)

        assert went
        assert time.monotonic() - began < 8
        assert dispatcher.depths([work_queue("P100")])[work_queue("P100")] >= 2


@pytest.mark.parametrize("name", BROKERS)
def test_a_connection_that_was_cut_costs_the_next_permit_nothing(name: str) -> None:
    with far_dispatcher(name) as (proxy, dispatcher):
        assert dispatcher.send_permits("P100", "transform", 1)
        proxy.cut()

        assert dispatcher.send_permits("P100", "transform", 1)


@pytest.mark.parametrize("name", BROKERS)
def test_a_broker_that_is_away_is_told_and_not_waited_for(name: str) -> None:
    with far_dispatcher(name) as (proxy, dispatcher):
        assert dispatcher.send_permits("P100", "transform", 1)
        proxy.refuse()
        began = time.monotonic()

        assert not dispatcher.send_permits("P100", "transform", 1)

        assert time.monotonic() - began < 8
        proxy.refuse(False)
        assert dispatcher.send_permits("P100", "transform", 1)
