"""The commands of the Procfile: each checks the configuration and becomes the program that does the work."""

from __future__ import annotations

import click

from app.commands.exits import Unusable
from app.commands.opening import open_settings, open_topology
from app.stack import programs
from app.stack import valkey as embedded


@click.command()
def valkey() -> None:
    """The embedded broker, on a Unix socket in LINESIDE_HOME/run."""
    settings = open_settings()
    try:
        programs.become(embedded.program(settings))
    except embedded.SocketUnusable as error:
        raise Unusable(str(error)) from None


@click.command()
def web() -> None:
    """The HTTP API and the console, under gunicorn."""
    settings = open_settings()
    open_topology(settings)
    programs.become(programs.web(settings))


@click.command()
@click.argument("role", type=click.Choice(programs.ROLES))
def worker(role: programs.Role) -> None:
    """A worker: `work` transforms and enriches, `post` calls targets, `relay` sends permits for what is due,
    `webhooks` calls subscribers."""
    settings = open_settings()
    topology = open_topology(settings)
    programs.become(programs.worker(settings, topology.plants, role))


@click.command()
def beat() -> None:
    """The clock that wakes the relay."""
    settings = open_settings()
    open_topology(settings)
    programs.become(programs.beat(settings))


@click.command()
def watch() -> None:
    """The watcher of drop folders, LINESIDE_HOME/drop/SOURCE/in."""
    settings = open_settings()
    open_topology(settings)
    programs.become(programs.watch(settings))


@click.command()
def flower() -> None:
    """Flower, to look at queues and workers; it changes nothing."""
    settings = open_settings()
    open_topology(settings)
    programs.become(programs.flower(settings))
