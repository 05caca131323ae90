"""`lineside check`: is the topology file fit to be used?"""

from __future__ import annotations

import click

from app.adapters.known_names import known_names
from app.adapters.registry import missing_secrets
from app.business_exceptions.channels import missing_channel_secrets
from app.commands.exits import NO
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json, terminal
from config.topology_file import PACKAGED, TopologyError, load_topology


@click.command()
@json_option
def check(as_json: bool) -> None:
    """Check the topology file whole, and say of each fault its file, line, reason and mend.

    The file is LINESIDE_CONFIG, or the packaged demonstration. Exit codes: 0 it can be used, 1 it has faults, 2 a
    setting has to be mended first. Secrets that are not set are told and are no fault: their targets wait.
    """
    settings = open_settings()
    path = settings.config_path or PACKAGED
    try:
        topology = load_topology(settings.config_path, known_names())
    except TopologyError as error:
        if as_json:
            faults = [
                {"file": f.file, "line": f.line, "path": f.path, "reason": f.reason, "mend": f.mend}
                for f in error.faults
            ]
            print_json({"usable": False, "file": str(path), "faults": faults})
        else:
            for fault in error.faults:
                click.echo(str(fault))
            click.echo(f"{len(error.faults)} fault{'s' if len(error.faults) > 1 else ''}; nothing of it is used.")
        click.get_current_context().exit(NO)
    absent = missing_secrets(topology.targets.values(), settings)
    unsigned = missing_channel_secrets(topology.exceptions, settings)
    if as_json:
        secrets = [{"target": target, "variable": variable} for target, variable in absent]
        secrets += [{"owner": owner, "variable": variable} for owner, variable in unsigned]
        print_json({"usable": True, "file": str(path), "faults": [], "secrets_not_set": secrets})
        return
    counts = f"{len(topology.plants)} plants, {len(topology.sources)} sources, {len(topology.targets)} targets"
    terminal().print(f"{path} can be used: {counts}, {len(topology.routes)} routes.", markup=False)
    for target, variable in absent:
        click.echo(f"Target {target}: its secret is not set; postings to it wait until {variable} is.")
    for owner, variable in unsigned:
        click.echo(f"Owner {owner}: notices wait until {variable} is set.")
