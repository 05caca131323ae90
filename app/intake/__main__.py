"""The process that watches the drop folders, as `lineside watch` starts it."""

from __future__ import annotations

import signal
import threading

from app.dispatch import Dispatcher
from app.intake.context import Intake
from app.intake.watcher import watch, watcher_for
from app.store.session import Store
from app.telemetry.logs import configure_logging
from config.settings import load_settings
from config.topology_file import load_topology


def main() -> None:
    settings = load_settings()
    topology = load_topology(settings.config_path)
    configure_logging(settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    dispatcher = Dispatcher(settings, tuple(topology.plants))
    store = Store(settings.database_url, pool_size=4)
    try:
        zones = {plant.code: plant.timezone for plant in topology.plants.values()}
        seconds = float(settings.lease_seconds)
        intake = Intake(store, dispatcher.nudge, lease_seconds=seconds, zones=zones, policy=topology.exceptions)
        watch(watcher_for(settings, topology, intake), stop)
    finally:
        dispatcher.close()
        store.dispose()


if __name__ == "__main__":
    main()
