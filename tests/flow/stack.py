"""Lineside's own processes over a database and a broker, as a user starts them, with practice doubles as targets."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from app.demo.doubles import PracticeDouble
from app.dispatch import BROKER_ERRORS, Dispatcher
from app.stack import programs, valkey
from app.stack.births import Process
from app.stack.programs import Program, Role
from app.store.session import Store
from config.queues import RELAY_QUEUE
from config.settings import Settings, load_settings
from config.topology import Topology
from config.topology_file import load_topology
from tests.flow.nursery import forked
from tests.services import rabbitmq_host, redis_database

TOPOLOGY = """
version: 1
plants:
{plants}
sources:
  - {{code: mes, kind: MES, plants: [{codes}], mapping: canonical}}
targets:
  - code: wms
    kind: WMS
    adapter: http_json
    mapping: wms
    url: {url}
    secret: wms
    timeout_seconds: 3
    calls_in_flight: 8
    retry: {{base_seconds: 0.2, cap_seconds: 1, give_up_seconds: 600}}
    options:
      auth: {{scheme: api_key, header: X-Api-Key}}
      idempotency_header: Idempotency-Key
      post: {{method: POST, path: "/{{kind}}", reference: id}}
      find: {{method: GET, path: "/documents/{{posting_key}}", reference: id, absent_status: [404]}}
routes:
  - {{type: inventory.moved.v1, targets: [{{target: wms}}]}}
"""


@dataclass
class Stack:
    """A running installation. ``processes`` are real ones, ended with the test whatever happens; ``accepted`` is for
    tests that share one."""

    settings: Settings
    topology: Topology
    store: Store
    dispatcher: Dispatcher
    wms: PracticeDouble
    environment: dict[str, str]
    processes: dict[str, Process] = field(default_factory=dict)
    accepted: list[int] = field(default_factory=list)

    @property
    def plants(self) -> list[str]:
        return list(self.topology.plants)

    def start(self, *roles: Role) -> None:
        for role in roles:
            self.launch(role, programs.worker(self.settings, self.plants, role))

    def start_beat(self) -> None:
        self.launch("beat", programs.beat(self.settings))

    def launch(self, name: str, program: Program) -> None:
        environment = {**os.environ, **self.environment, **program.environment}
        command, home = list(program.arguments), self.settings.home
        with (home / f"{name}.log").open("ab") as log:
            self.processes[name] = forked(name, command, environment, home) or subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )

    def kill(self, name: str) -> None:
        """SIGKILL for the process and its children."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        assert _has_ended(process)

    def stop(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes.values():
            if not _has_ended(process):
                os.killpg(process.pid, signal.SIGKILL)
                assert _has_ended(process)
        self.processes.clear()

    def logs(self) -> str:
        return "\n".join(f"--- {path.name}\n{path.read_text()[-3000:]}" for path in self.settings.home.glob("*.log"))

    def wait_until(self, condition: Callable[[], bool], seconds: float = 60, what: str = "the condition") -> None:
        """Wait for the condition, bounded; on failure the processes' logs are part of the message."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if condition():
                return
            time.sleep(0.05)
        pytest.fail(f"{what} did not come true within {seconds} s\n{self.logs()}")


@contextmanager
def running_stack(
    tmp_path: Path, database_url: str, broker: str, plants: int = 2, by_way_of: Callable[[str], str] = str
) -> Iterator[Stack]:
    """An installation over ``broker``: valkey (its own), redis or rabbitmq (a database or virtual host of its own).

    ``by_way_of``: the address by which the broker is reached.
    """
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    with ExitStack() as ending:
        broker_url = ending.enter_context(_BROKERS[broker]())
        wms = PracticeDouble("wms", home, "wms-key-for-tests").start()
        ending.callback(wms.stop)
        names = [f"T{letter}" for letter in "ABCDEFGH"[:plants]]
        lines = "\n".join(f"  - {{code: {name}, name: {name}, timezone: Europe/Berlin, lanes: 4}}" for name in names)
        config = home / "topology.yaml"
        config.write_text(TOPOLOGY.format(plants=lines, codes=", ".join(names), url=wms.url))
        environment = {
            "LINESIDE_HOME": str(home),
            "LINESIDE_CONFIG": str(config),
            "LINESIDE_DATABASE_URL": database_url,
            "LINESIDE_BROKER_URL": by_way_of(broker_url),
            "LINESIDE_SECRET_WMS": "wms-key-for-tests",
            "LINESIDE_LEASE_SECONDS": "3",
            "LINESIDE_WORK_PROCESSES": "1",
            "LINESIDE_POST_THREADS": "4",
        }
        settings = load_settings(environment)
        topology = load_topology(settings.config_path)
        dispatcher, store = Dispatcher(settings, list(topology.plants)), Store(database_url)
        ending.callback(store.dispose)
        ending.callback(dispatcher.close)
        stack = Stack(settings, topology, store, dispatcher, wms, environment)
        ending.callback(stack.stop)
        if broker == "valkey":
            stack.launch("valkey", valkey.program(settings))
            stack.wait_until(lambda: _answers(stack), seconds=10, what="the embedded broker")
        dispatcher.declare_queues(stack.plants)
        yield stack


_BROKERS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "valkey": lambda: nullcontext(""),
    "redis": redis_database,
    "rabbitmq": rabbitmq_host,
}


def _has_ended(process: Process, within_seconds: float = 10) -> bool:
    end = time.monotonic() + within_seconds
    while process.poll() is None:
        if time.monotonic() >= end:
            return False
        time.sleep(0.02)
    return True


def _answers(stack: Stack) -> bool:
    try:
        stack.dispatcher.depths([RELAY_QUEUE])
    except BROKER_ERRORS:
        return False
    return True
