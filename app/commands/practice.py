"""`lineside practice`: the demonstration's own systems, one a process; `lineside demo` starts them."""

from __future__ import annotations

import click

from app.commands.exits import Unusable
from app.commands.opening import open_settings, open_topology
from app.demo.practice import DOUBLES, ERP, NoDemonstration, serve_practice


@click.command()
@click.argument("name", type=click.Choice((ERP, *DOUBLES)))
def practice(name: str) -> None:
    """Be one of the demonstration's systems: its ERP, or the practice double of a WMS, a planning platform, an MES."""
    settings = open_settings()
    try:
        serve_practice(name, settings, open_topology(settings))
    except NoDemonstration as error:
        raise Unusable(str(error)) from None
