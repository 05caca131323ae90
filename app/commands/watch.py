"""The command of the process that watches the drop folders."""

from __future__ import annotations

import signal
import threading

import click

from app.commands.opening import open_settings, open_topology
from app.dispatch import Dispatcher
from app.intake.context import Intake
from app.intake.watcher import watch as watch_folders
from app.intake.watcher import watcher_for
from app.store.session import Store
from app.telemetry.logs import configure_logging


@click.command()
def watch() -> None:
    """The watcher of drop folders, LINESIDE_HOME/drop/SOURCE/in."""
    settings = open_settings()
    topology = open_topology(settings)
    configure_logging(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    dispatcher = Dispatcher(settings, tuple(topology.plants))
    store = Store(settings.database_url, pool_size=2)
    try:
        watch_folders(watcher_for(settings, topology, Intake(store, dispatcher.nudge)), stop)
    finally:
        dispatcher.close()
        store.dispose()
