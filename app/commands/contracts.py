"""`lineside contracts`: the contracts of canonical events, and what a change of them would break."""

from __future__ import annotations

from pathlib import Path

import click

from app.commands.exits import NO, AnswerIsNo
from app.commands.printing import json_option, print_json
from app.released_contracts import FOLDER, broken_contracts, release
from mappings.canonical import contract
from mappings.canonical.registry import SCHEMAS
from mappings.canonical.versions import newest_type


@click.group()
def contracts() -> None:
    """The contracts of canonical events: one a type and version."""


@contracts.command("list")
@json_option
def list_all(as_json: bool) -> None:
    """List the types, and as which version each is read."""
    rows = [{"type": name, "read_as": newest_type(name)} for name in sorted(SCHEMAS)]
    if as_json:
        print_json({"contracts": rows})
    for row in [] if as_json else rows:
        click.echo(row["type"] + ("" if row["read_as"] == row["type"] else f" (read as {row['read_as']})"))


@contracts.command("show")
@click.argument("event_type")
def show_one(event_type: str) -> None:
    """Print a type's JSON Schema. Exit codes: 0 printed, 1 there is no such type."""
    if event_type not in SCHEMAS:
        raise AnswerIsNo(f"There is no canonical type {event_type!r}; see `lineside contracts list`.")
    print_json(contract.json_schema(event_type))


@contracts.command("check")
@json_option
def check_all(as_json: bool) -> None:
    """Compare each contract with its last release. Exit codes: 0 nothing breaks, 1 something does."""
    broken = [{"type": name, "change": change} for name, change in broken_contracts()]
    if as_json:
        print_json({"breaks": broken})
    for row in [] if as_json else broken:
        click.echo(f"{row['type']}: {row['change']}")
    if broken:
        if not as_json:
            click.echo("Undo these, or make a new version of the type beside the old one (docs/decisions/0020).")
        click.get_current_context().exit(NO)
    if not as_json:
        click.echo("Every released contract is kept.")


@contracts.command("release")
@click.option("--into", default=FOLDER, type=click.Path(file_okay=False, path_type=Path), show_default="the code's own")
def release_all(into: Path) -> None:
    """Write today's contracts as the released ones; what breaks a release is refused. Exit codes: 0 done, 1 refused."""
    if into.exists() and (broken := list(broken_contracts(into))):
        raise AnswerIsNo("; ".join(f"{name}: {change}" for name, change in broken[:5]))
    changed = release(into)
    click.echo(f"{len(changed)} contracts are new or changed in {into}." if changed else "Nothing has changed.")
