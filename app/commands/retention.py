"""`lineside retention`: how long messages are kept, what has left, and reading it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from app.audit.trail import record
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, laid_out_json, plain_line, print_json, terminal
from app.commands.show import ConsoleShow
from app.retention.choosing import STATES
from app.retention.exporting import ArchiveFault, digest_of, read_archive
from app.retention.rounds import archives, preview, retain
from app.retention.setting import FOLDER, retention_of
from app.store.retention_tables import Archive
from app.store.session import Store
from config.topology import Topology

ROUND_SECONDS = 5.0
LISTED_MOST = 1_000


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def retention(context: click.Context, as_json: bool) -> None:
    """How long messages are kept, and which files hold those that were deleted.

    Exit codes: 0 shown, 1 the topology has no rules: everything is kept.
    """
    if context.invoked_subcommand is not None:
        return
    settings = open_settings()
    rules = open_topology(settings).retention
    with open_database(settings) as store, store.reading() as session:
        kept = archives(session)
    newest = [_told(one) for one in kept.newest]
    sums = {"files": kept.files, "messages": kept.messages, "bytes": kept.bytes, "newest": newest}
    if as_json:
        print_json({"rules": rules, "folder": str(settings.home / FOLDER), "archives": sums})
    else:
        for domain, days in rules.items():
            told = ", ".join(f"{state} {days[state]} days" for state in STATES if state in days)
            click.echo(f"{domain:<14} {told or 'kept'}")
        click.echo(
            f"{kept.messages} messages lie in {kept.files} files of {kept.bytes} bytes below {settings.home / FOLDER}"
        )
        for one in newest:
            click.echo(
                f"  {one['made_at']:%Y-%m-%d %H:%M}  {one['messages']:>6} messages  {one['file']} on {one['host']}"
            )
    if not rules:
        raise (
            click.exceptions.Exit(1) if as_json else AnswerIsNo("The topology has no `retention`: everything is kept.")
        )


def _told(one: Archive) -> dict[str, Any]:
    names = ("host", "sha256", "bytes", "messages", "made_at")
    return {"file": one.path} | {name: getattr(one, name) for name in names}


@retention.command("run")
@click.option("--dry-run", is_flag=True, help="Only count what would leave, by domain and state.")
@json_option
def run(dry_run: bool, as_json: bool) -> None:
    """Export and delete what may leave by now, to the end. Workers do the same by themselves, a little each minute.

    Exit codes: 0 done, 1 it stood back: messages are waiting for work, or a worker is at it.
    """
    settings = open_settings()
    topology = open_topology(settings)
    show = ConsoleShow(terminal(to_stderr=as_json))
    with open_database(settings) as store, show.progress("Looking through the messages"):
        told = _preview(store, topology) if dry_run else _run(store, topology)
    if as_json:
        print_json(told)
    elif dry_run:
        for row in told["would_leave"]:
            click.echo(f"{row['domain']:<14} {row['state']:<12} {row['messages']}")
        click.echo(f"{told['messages']} messages would be exported and deleted.")
    else:
        click.echo(f"{told['deleted']} messages are exported and deleted; {len(told['files'])} files.")
    if told.get("stood_back"):
        raise AnswerIsNo("It stood back: messages are waiting for work, or a worker is exporting. Try again.")


def _preview(store: Store, topology: Topology) -> dict[str, Any]:
    counts: Counter[tuple[str, str]] = Counter()
    for _, found in preview(store, topology.retention, utc_now()):
        counts += found
    rows = [{"domain": d, "state": s, "messages": number} for (d, s), number in sorted(counts.items())]
    return {"would_leave": rows, "messages": counts.total()}


def _run(store: Store, topology: Topology) -> dict[str, Any]:
    here = retention_of(topology, open_settings())
    deleted, stood_back = 0, False
    files: list[str] = []
    while True:
        try:
            done = retain(store, here, list(topology.plants), utc_now, ROUND_SECONDS)
        except (OSError, ArchiveFault) as error:
            raise Unusable(f"Nothing was deleted: {error}") from None
        deleted, files, stood_back = deleted + done.deleted, files + done.files, done.stood_back
        if done.is_through or done.stood_back or not here.rules:
            break
    with store.writing() as session:
        detail = {"messages": deleted, "files": len(files)}
        record(session, terminal_actor(), "retention.run", "messages", detail, utc_now())
    return {"deleted": deleted, "files": files, "stood_back": stood_back}


@retention.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--message", "message_id", type=int, help="All of this message; without it the file's messages are listed."
)
@json_option
def restore(file: Path, message_id: int | None, as_json: bool) -> None:
    """Read an exported file back, for a look: its hash is checked, and nothing is written into the database.

    FILE is a path, or one as `lineside trace` tells it. Exit codes: 0 shown, 1 the message is not in it, 2 the file is
    not what its manifest says.
    """
    path = file if file.exists() else open_settings().home / FOLDER / file
    try:
        _check_registered(path, file)
        if message_id is None:
            _list(path, as_json)
            return
        found = next((one for one in read_archive(path) if one["message"]["id"] == message_id), None)
    except ArchiveFault as error:
        raise Unusable(str(error)) from None
    if found is None:
        raise AnswerIsNo(f"Message {message_id} is not in {path}.")
    if as_json:
        print_json(found)
    else:
        plain_line(terminal(), laid_out_json(found))


def _check_registered(path: Path, name: Path) -> None:
    """Where the database knows the file, its hash there counts: who changes a file may change its manifest too."""
    with open_database(open_settings()) as store, store.reading() as session:
        known = session.scalar(select(Archive).where(Archive.path == str(name)))
    if known is not None and (found := digest_of(path)) != known.sha256:
        raise ArchiveFault(f"{path} is not the file that was exported: its hash is {found}, and was {known.sha256}.")


def _list(path: Path, as_json: bool) -> None:
    rows = [_row(one) for one in _first(read_archive(path))]
    if as_json:
        print_json({"messages": rows})
        return
    for row in rows:
        click.echo(
            f"{row['id']:>10}  {row['state']:<12} {row['source']:<16} {row['type']:<28} {row['source_message_id']}"
        )


def _first(records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for number, one in enumerate(records):
        if number < LISTED_MOST:
            yield one


def _row(one: dict[str, Any]) -> dict[str, Any]:
    names = ("id", "plant", "source", "source_message_id", "type", "state", "received_at", "state_at")
    return {name: one["message"][name] for name in names}
