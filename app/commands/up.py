"""`lineside up`: everything together, until it is told to end."""

from __future__ import annotations

import click

from app.commands.opening import open_settings
from app.commands.printing import json_option
from app.stack.births import forked_births
from app.stack.programs import common_environment


@click.command()
@json_option
def up(as_json: bool) -> None:
    """Run Lineside: broker, API and console, workers, relay, watcher and Flower, until Ctrl-C.

    What ends by itself is started again. Logs are in LINESIDE_HOME/log, one file a process. Exit codes: 0 ended in
    order, 2 a setting, the topology or a port has to be mended, 3 the database or the broker does not answer.
    """
    settings = open_settings()
    with forked_births(settings, common_environment(settings)) as births:
        from app.commands.stack import run_up  # a second's work, beside the other that has begun

        run_up(settings, births, as_json)
