"""Where an installation keeps what it exported, and by which rules."""

from __future__ import annotations

import socket

from app.retention.rounds import Retention
from config.settings import Settings
from config.topology import Topology

FOLDER = "retained"


def retention_of(topology: Topology, settings: Settings) -> Retention:
    return Retention(topology.retention, settings.home / FOLDER, socket.gethostname()[:120])
