"""The systems around Lineside in the demonstration: a real ERP and three practice doubles, each a process of its own.

Their addresses are the topology's, so the demonstration has no wiring of its own.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from app.demo.doubles import serve
from app.demo.erp import serve_command
from app.stack.ports import NeededPort
from config.settings import Settings, inherited_environment, secret_variable
from config.topology import Target, Topology

ERP = "erp"
DOUBLES = ("wms", "planning", "mes")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class NoDemonstration(Exception):
    """This topology cannot be demonstrated; the text says what is missing."""


def practice_targets(topology: Topology) -> dict[str, Target]:
    """The targets that the demonstration serves itself; raises NoDemonstration where one is missing or elsewhere."""
    missing = [name for name in (ERP, *DOUBLES) if name not in topology.targets]
    if missing:
        raise NoDemonstration(
            f"The demonstration serves the targets {', '.join((ERP, *DOUBLES))} itself, and the topology lacks "
            f"{', '.join(missing)}. Unset LINESIDE_CONFIG, or use `lineside up`."
        )
    targets = {name: topology.targets[name] for name in (ERP, *DOUBLES)}
    far = [name for name, target in targets.items() if urlsplit(target.url).hostname not in LOOPBACK]
    if far:
        raise NoDemonstration(
            f"The demonstration serves its targets on this machine, and the url of {', '.join(far)} is elsewhere; "
            "give it a 127.0.0.1 address, or use `lineside up`."
        )
    if not any(reading.target == ERP for source in topology.sources.values() for reading in source.reads):
        raise NoDemonstration(
            f"The orders of the demonstration stand in target {ERP}, and no source reads them; give one "
            f"`reads: [{{target: {ERP}, domain: production_orders}}]`, or use `lineside up`."
        )
    return targets


def practice_port(target: Target) -> int:
    return urlsplit(target.url).port or 80


def practice_ports(topology: Topology) -> list[NeededPort]:
    return [
        NeededPort(name, "127.0.0.1", practice_port(target), _setting(topology, name))
        for name, target in practice_targets(topology).items()
    ]


def _setting(topology: Topology, name: str) -> str:
    where = topology.positions.get(f"targets.{name}.url", "the topology")
    return f"another port in the url of target {name} ({where}; LINESIDE_CONFIG names the file)"


def practice_secrets(settings: Settings, topology: Topology, erp_key: str) -> dict[str, str]:
    """Environment variables with each target's secret: the ERP's new key, and random ones for the doubles."""
    found: dict[str, str] = {}
    for name, target in practice_targets(topology).items():
        if target.secret is not None:
            given = settings.secret(target.secret) or secrets.token_urlsafe(24)
            found[secret_variable(target.secret)] = erp_key if name == ERP else given
    return found


def serve_practice(name: str, settings: Settings, topology: Topology) -> None:
    """Be this system until told to end."""
    target = practice_targets(topology)[name]
    if name == ERP:
        arguments, environment = serve_command(erp_database(settings), practice_port(target))
        _become(arguments, environment)
    secret = settings.secret(target.secret) if target.secret else None
    if not secret:
        raise NoDemonstration(f"The practice system {name} has no key; `lineside demo` makes one and starts it.")
    serve(name, practice_port(target), settings.home / "practice", secret)


def erp_database(settings: Settings) -> Path:
    return settings.home / "erp" / "lineside.sqlite"


def _become(arguments: list[str], environment: Mapping[str, str]) -> None:
    os.execve(arguments[0], arguments, inherited_environment(environment))
