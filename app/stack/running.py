"""One installation, from nothing to answering, and back to nothing."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import urllib3

from app.dispatch import BROKER_ERRORS, Dispatcher
from app.inbox.lanes import ensure_lanes
from app.stack import valkey
from app.stack.births import Births
from app.stack.instance import LEFTOVER_PATIENCE_SECONDS, Instance, end_groups
from app.stack.ports import NeededPort, check_ports
from app.stack.procfile import BROKER
from app.stack.supervisor import USUAL_PAUSES, Pauses, Say, Supervisor
from app.store.migrate import upgrade
from app.store.session import Store
from config.settings import Settings
from config.topology import Topology

START_SECONDS = 120.0
POLL_SECONDS = 0.1


class StartFailed(Exception):
    """The installation did not come up; the text says which part and what it said last."""


def product_ports(settings: Settings) -> list[NeededPort]:
    return [
        NeededPort("web", settings.host, settings.port, "LINESIDE_PORT"),
        NeededPort("flower", settings.flower_host, settings.flower_port, "LINESIDE_FLOWER_PORT"),
    ]


def addresses(settings: Settings) -> dict[str, str]:
    base = f"http://{reachable_host(settings.host)}:{settings.port}"
    flower = f"http://{reachable_host(settings.flower_host)}:{settings.flower_port}"
    return {"console": f"{base}/", "api": f"{base}/docs", "flower": f"{flower}/broker"}


def reachable_host(host: str) -> str:
    """Where a program on this machine reaches a server that is bound to ``host``."""
    return "127.0.0.1" if host in ("0.0.0.0", "::", "") else host  # noqa: S104 - compared, not bound


@contextmanager
def claimed_home(settings: Settings, ports: Sequence[NeededPort], say: Say) -> Iterator[Instance]:
    """Hold the home for this run alone: what a killed run left behind is ended, and every port is free.

    Raises AlreadyRunning, PortsTaken or SocketUnusable before anything is started.
    """
    if settings.broker_is_embedded:
        valkey.check_socket_path(settings)
    instance = Instance(settings.run_dir)
    instance.acquire()
    try:
        _end_leftovers(instance, say)
        check_ports(ports)
        shutil.rmtree(settings.metrics_dir, ignore_errors=True)
        settings.metrics_dir.mkdir(parents=True)
        yield instance
    finally:
        instance.release()


def _end_leftovers(instance: Instance, say: Say) -> None:
    left = instance.leftovers()
    if left:
        named = ", ".join(f"{process.name} (pid {process.pid})" for process in left)
        say(f"The last run did not end in order; ending what it left behind: {named}.")
        end_groups([process.pid for process in left], LEFTOVER_PATIENCE_SECONDS)


def prepare_database(settings: Settings, topology: Topology) -> None:
    """Today's schema, and a row for each ordering lane of each plant."""
    store = Store(settings.database_url, pool_size=2)
    try:
        upgrade(store)
        with store.writing() as session:
            ensure_lanes(session, [(plant.code, plant.lanes) for plant in topology.plants.values()])
    finally:
        store.dispose()


@contextmanager
def running_stack(
    settings: Settings,
    topology: Topology,
    instance: Instance,
    commands: Mapping[str, Sequence[str]],
    births: Births,
    say: Say,
    pauses: Pauses = USUAL_PAUSES,
) -> Iterator[Supervisor]:
    """Every process up and the API answering; all of them ended when the block ends, however it ends."""
    supervisor = Supervisor(settings, instance, say, births, [BROKER], pauses)
    with interrupted_by_signals():
        try:
            broker = {name: command for name, command in commands.items() if name == BROKER}
            if broker:
                supervisor.start(broker)
                wait_until(lambda: valkey.is_answering(settings), supervisor, "the embedded broker")
            _declare_queues(settings, topology)
            supervisor.start({name: command for name, command in commands.items() if name != BROKER})
            wait_until(lambda: answers(f"{_api(settings)}/healthz"), supervisor, "the API")
            yield supervisor
        finally:
            _stop(supervisor, say)


def _api(settings: Settings) -> str:
    return f"http://{reachable_host(settings.host)}:{settings.port}"


def _declare_queues(settings: Settings, topology: Topology) -> None:
    """All queues exist before the first worker that consumes only some of them starts."""
    try:
        Dispatcher(settings, list(topology.plants)).declare_queues(topology.plants)
    except BROKER_ERRORS as error:
        raise StartFailed(
            f"The broker cannot be used ({_told(error)}). Check that it runs, and LINESIDE_BROKER_URL."
        ) from None


def _told(error: BaseException) -> str:
    """In the client's words, which name host and port, and never with the URL's password."""
    words = str(error).strip().splitlines()
    return words[0] if words else type(error).__name__


def wait_until(
    condition: Callable[[], bool], supervisor: Supervisor, what: str, seconds: float = START_SECONDS
) -> None:
    """Wait, within bounds; raises StartFailed naming what did not come and what a process that ended said last."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            said = supervisor.what_failed()
            raise StartFailed(f"{what} did not answer within {seconds:g} s." + (f" {said}" if said else ""))
        time.sleep(POLL_SECONDS)


def answers(url: str) -> bool:
    """Whether an HTTP server answers there at all, whatever it says."""
    try:
        urllib3.request("GET", url, timeout=2.0, retries=False).close()
    except (urllib3.exceptions.HTTPError, OSError):
        return False
    return True


def _stop(supervisor: Supervisor, say: Say) -> None:
    """End everything in order; a second signal kills at once."""
    for number in _SIGNALS:
        signal.signal(number, lambda *_: supervisor.hurry())
    killed = supervisor.stop()
    if not supervisor.has_started:
        return
    say("Every process has ended." + (f" Had to be killed: {', '.join(killed)}." if killed else ""))


_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP raise KeyboardInterrupt in the block, so that one path ends everything."""
    before: dict[int, Any] = {number: signal.signal(number, signal.default_int_handler) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
