"""`lineside migrate`: the database in today's schema."""

from __future__ import annotations

import click

from app.commands.database import plain_database_faults
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.stack.running import prepare_database
from app.store.revision import newest_revision


@click.command()
@json_option
def migrate(as_json: bool) -> None:
    """Create or upgrade the database. Safe to repeat, and safe while another migration runs.

    Exit codes: 0 it is up to date, 2 a setting has to be mended, 3 the database does not answer.
    """
    settings = open_settings()
    topology = open_topology(settings)
    with plain_database_faults(settings.database_url):
        prepare_database(settings, topology)
    if as_json:
        print_json({"revision": newest_revision()})
    else:
        click.echo(f"The database is up to date (revision {newest_revision()}).")
