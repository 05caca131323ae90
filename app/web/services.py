"""What a request works with, built once a process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app

from app.access.gate import Gate
from app.clock import utc_now
from app.inbox.door import Door, Nudges
from app.store.session import Store
from app.web.outcome_watch import OutcomeWatch
from config.settings import Settings
from config.topology import Topology

_NAME = "lineside"


@dataclass(frozen=True)
class Services:
    settings: Settings
    topology: Topology
    store: Store
    nudges: Nudges
    door: Door
    gate: Gate
    outcomes: OutcomeWatch
    clock: Callable[[], datetime] = utc_now


def attach_services(app: Flask, services: Services) -> None:
    app.extensions[_NAME] = services


def services() -> Services:
    """The services of the application that answers the current request."""
    found: Services = current_app.extensions[_NAME]
    return found
