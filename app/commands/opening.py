"""What every command reads first: the settings, and mostly the topology."""

from __future__ import annotations

from app.commands.exits import Unusable
from config.settings import SettingError, Settings, load_settings
from config.topology import Topology
from config.topology_file import KnownNames, TopologyError, load_topology


def open_settings() -> Settings:
    try:
        return load_settings()
    except SettingError as error:
        raise Unusable(str(error)) from None


def open_topology(settings: Settings, known: KnownNames | None = None) -> Topology:
    """The topology; with ``known`` also every mapping, type and adapter that it names is checked, which costs the time
    to load them all."""
    try:
        return load_topology(settings.config_path, known)
    except TopologyError as error:
        raise Unusable(f"The topology cannot be used.\n{error}") from None
