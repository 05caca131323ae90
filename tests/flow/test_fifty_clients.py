"""Fifty clients over HTTP ask at once for what is not enough for all: nobody is promised what another has."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import func, select

from app.clock import utc_now
from app.projections.ledger import Entry, enter
from app.projections.movements import Kind, Leg, Place
from app.projections.stock_lists import list_items
from app.stack import programs
from app.store.messages_tables import Message
from app.store.reservation_tables import Reservation
from app.store.session import Store
from app.web.stock import told_items
from config.settings import load_settings
from tests.factories import NOON, know_items
from tests.fakes import Books
from tests.process_calls import WHEEL, amount, installation, released
from tests.reading import states
from tests.web import key_for

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

CLIENTS, THERE = 50, Decimal(60)
TOPOLOGY = """
version: 1
plants:
  - {code: P100, name: P100, timezone: Europe/Berlin}
sources:
  - {code: mes, kind: MES, plants: [P100], mapping: canonical}
"""


@dataclass
class Served:
    """Gunicorn over the database of ``store``, as the product starts it."""

    store: Store
    port: int
    key: dict[str, str]
    process: subprocess.Popen[bytes]

    def call(self, process: str, body: Any, key: str, prefer: str = "wait=0") -> tuple[int, dict[str, Any]]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {**self.key, "Idempotency-Key": key, "Content-Type": "application/json", "Prefer": prefer}
        try:
            connection.request("POST", f"/v1/processes/{process}?plant=P100", json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def kill(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


def _wait(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "the condition did not come true in time"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(store: Store, tmp_path: Path, workers: int) -> Iterator[Served]:
    config = tmp_path / "topology.yaml"
    config.write_text(TOPOLOGY)
    port = _free_port()
    environment = {
        "LINESIDE_HOME": str(tmp_path),
        "LINESIDE_CONFIG": str(config),
        "LINESIDE_DATABASE_URL": store.url,
        "LINESIDE_BROKER_URL": "redis://127.0.0.1:1/0",  # nobody works: what was accepted stays as it is
        "LINESIDE_PORT": str(port),
        "LINESIDE_WEB_WORKERS": str(workers),
    }
    program = programs.web(load_settings(environment))
    with (tmp_path / "web.log").open("wb") as log:
        process = subprocess.Popen(
            program.arguments,
            env={**os.environ, **environment, **program.environment},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    made = Served(store, port, key_for(store), process)
    try:
        _wait(lambda: _listens(port))
        yield made
    finally:
        if process.poll() is None:
            made.kill()


@pytest.fixture
def served(store: Store, tmp_path: Path) -> Iterator[Served]:
    with serving(store, tmp_path, workers=2) as made:
        yield made


def test_fifty_clients_are_never_promised_more_than_there_is(served: Served) -> None:
    know_items(served.store)
    with served.store.writing() as session:
        leg = Leg(Place("P100", WHEEL, "EA", "ST"), Kind.ADJUSTED, THERE)
        enter(session, [Entry(9_000, 0, 0, leg, NOON)], NOON)
    wanted = [Decimal(1 + n % 7) / 2 for n in range(CLIENTS)]  # 98.5 in all
    together = Barrier(CLIENTS)

    def ask(number: int) -> tuple[int, dict[str, Any]]:
        together.wait(60)
        body = {"item": WHEEL, "quantity": amount(str(wanted[number])), "delivery_id": f"D-{number % 9}"}
        return served.call("reserve-inventory", body, f"r{number}")

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(ask, range(CLIENTS)))

    granted = [much for much, (status, _) in zip(wanted, answers, strict=True) if status == 201]
    refused = [much for much, (status, _) in zip(wanted, answers, strict=True) if status == 409]
    assert len(granted) + len(refused) == CLIENTS, [one for one in answers if one[0] not in (201, 409)]
    assert sum(granted) <= THERE
    assert refused
    assert THERE - sum(granted) < min(refused)
    with served.store.reading() as session:
        kept = sum(session.scalars(select(Reservation.quantity)), Decimal(0))
        messages = session.scalar(select(func.count()).select_from(Message))
        (told,) = told_items(session, list_items(session, "P100", WHEEL, 10))
    assert (kept, messages) == (sum(granted), len(granted))
    assert Decimal(told["available"]) == THERE - sum(granted)


def test_a_web_process_that_is_killed_after_its_commit_has_lost_nothing(sqlite_store: Store, tmp_path: Path) -> None:
    know_items(sqlite_store)
    with serving(sqlite_store, tmp_path, workers=1) as served, ThreadPoolExecutor(1) as pool:
        call = pool.submit(served.call, "release-order", released(), "r1", "wait=30")
        _wait(lambda: _messages(sqlite_store) == [1])
        served.kill()
        with pytest.raises((HTTPException, ConnectionError)):
            call.result(60)
    here = installation(sqlite_store, tmp_path, Books())
    here.key, here.clock.now = served.key, utc_now()
    here.work()

    again = here.call("release-order", released(), "r1")

    assert (again.status_code, again.json["repeat"], again.json["answers"][0]["reference"]) == (200, True, "doc-1")
    assert states(sqlite_store, again.json["id"]) == ["posted"]


def _messages(store: Store) -> list[int]:
    with store.reading() as session:
        return list(session.scalars(select(Message.id)))
