"""Flower's broker page shows each plant's work, post and dead depth, whoever consumes them."""

from __future__ import annotations

import re
import socket
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from app.stack import programs
from config.queues import dead_queue, plant_queues, post_queue, work_queue
from tests.flow.stack import Stack, running_stack
from tests.services import ask_rabbitmq

pytestmark = pytest.mark.services

_ROW = re.compile(r"<td>(plant\.[^<]+)</td>\s*<td[^>]*>\s*(\d+)\s*</td>")


@contextmanager
def flower(stack: Stack) -> Iterator[str]:
    """Flower's address, once it answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = programs.flower(replace(stack.settings, flower_port=port))
    stack.launch("flower", program)
    url = f"http://127.0.0.1:{port}"
    stack.wait_until(lambda: _answers(url), what="Flower")
    yield url


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthcheck", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def depths(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/broker", timeout=5) as page:
        return {name: int(number) for name, number in _ROW.findall(page.read().decode())}


@pytest.mark.parametrize("broker", ["valkey", "redis", "rabbitmq"])
def test_flower_shows_the_depth_of_queues_that_nobody_consumes(broker: str, sqlite_url: str, tmp_path: Path) -> None:
    if broker == "rabbitmq":
        ask_rabbitmq("GET", "/overview")
    with running_stack(tmp_path, sqlite_url, broker) as stack:
        plant = stack.plants[0]
        stack.start("work")
        stack.dispatcher.mirror_dead(plant, [{"message_id": 1}, {"message_id": 2}], replace=True)
        stack.dispatcher.send_permits(plant, "post", 1)

        with flower(stack) as url:
            expected = {dead_queue(plant): 2, post_queue(plant): 1, work_queue(plant): 0}
            stack.wait_until(lambda: expected.items() <= depths(url).items(), what=f"{expected} on Flower's page")

            assert set(depths(url)) == {name for each in stack.plants for name in plant_queues(each)}


def test_flower_changes_nothing(sqlite_url: str, tmp_path: Path) -> None:
    with running_stack(tmp_path, sqlite_url, "valkey") as stack:
        stack.start("work")

        with flower(stack) as url:
            request = urllib.request.Request(f"{url}/api/worker/shutdown/work@anywhere", method="POST")
            with pytest.raises(HTTPError) as refused:
                urllib.request.urlopen(request, timeout=5)
            refused.value.close()

    assert refused.value.code in (401, 403, 405)
