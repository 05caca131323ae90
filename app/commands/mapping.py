"""`lineside mapping`: see what a mapping makes of a message before it is released."""

from __future__ import annotations

import click

from app.commands.mapping_diff import diff
from app.commands.mapping_golden import golden
from app.commands.mapping_try import try_file


@click.group()
def mapping() -> None:
    """Mappings: try one on a file, see what a change of one changes, make a test of a message. Nothing is sent or
    stored."""


mapping.add_command(try_file)
mapping.add_command(diff)
mapping.add_command(golden)
