"""The Procfile names the processes; which of them run together is said here."""

from __future__ import annotations

import shlex
import sys

from honcho.environ import parse_procfile

from app.stack import programs, valkey
from app.stack.programs import PROJECT, Program
from config.settings import Settings
from config.topology import Topology

BROKER = "valkey"
PRODUCT = (BROKER, "web", "work", "post", "relay", "webhooks", "beat", "watch", "flower")
DEMONSTRATION = ("erp", "wms", "planning", "mes")

OURS = "lineside"


def read_procfile() -> dict[str, list[str]]:
    """Each process's command, with ``lineside`` as the very program that runs now."""
    text = (PROJECT / "Procfile").read_text(encoding="utf-8")
    commands = {name: shlex.split(line) for name, line in parse_procfile(text).processes.items()}
    return {name: _as_this_program(words) for name, words in commands.items()}


def _as_this_program(words: list[str]) -> list[str]:
    return [sys.executable, "-P", "-m", "app.cli", *words[1:]] if words[0] == OURS else words


def product_programs(settings: Settings, topology: Topology) -> dict[str, list[str]]:
    """What each process of the product becomes once its command has looked at the configuration, for whoever has looked
    at it already; in ``programs.common_environment``. Raises SocketUnusable."""
    made: dict[str, Program] = {
        "web": programs.web(settings),
        **{role: programs.worker(settings, topology.plants, role) for role in programs.ROLES},
        "beat": programs.beat(settings),
        "watch": programs.watch(settings),
        "flower": programs.flower(settings),
    }
    if settings.broker_is_embedded:
        made = {BROKER: valkey.program(settings), **made}
    return {name: list(program.arguments) for name, program in made.items()}
