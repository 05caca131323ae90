"""`lineside dead`: the dead letters, and what a person can do about them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.corrections import correct, payload
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json, terminal
from app.dead_letters.repair import REQUEUE_CHUNK, DeadLetterError, requeue_matching
from app.dead_letters.repair import discard as discard_messages
from app.dead_letters.repair import requeue as requeue_messages
from app.dead_letters.selection import DeadFilter, dead_ids, matching_ids
from app.inbox.lookup import find_message
from app.store.messages_tables import Message
from app.store.session import Store

SHOWN_MOST = 1_000
IDS_PRINTED = 20


@click.group()
def dead() -> None:
    """Dead letters: list, show, requeue, correct, discard. What is due again is worked on within seconds."""


dead.add_command(payload)
dead.add_command(correct)


def chosen_by_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which dead letters are meant; all that are given must match."""
    for name, text in (
        ("reason", "The reason's code, such as unit_unknown."),
        ("type", "The type as it was sent."),
        ("source", "The source's code."),
        ("plant", "The plant's code."),
    ):
        function = click.option(f"--{name}", f"{name}_", help=text)(function)
    return function


def _filter(plant: str | None, source: str | None, kind: str | None, reason: str | None) -> DeadFilter:
    return DeadFilter(plant=plant, source=source, type=kind, reason_code=reason)


@dead.command("list")
@chosen_by_filter
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=50, show_default=True)
@json_option
def show_list(
    plant_: str | None, source_: str | None, type_: str | None, reason_: str | None, limit: int, as_json: bool
) -> None:
    """List dead letters, newest first. Exit code 0, also where there are none."""
    chosen = _filter(plant_, source_, type_, reason_)
    with open_database(open_settings()) as store, store.reading() as session:
        query = select(Message).where(*chosen.conditions()).order_by(Message.id.desc()).limit(limit)
        rows = [_row(message) for message in session.scalars(query)]
    if as_json:
        print_json({"dead_letters": rows})
        return
    for row in rows:
        click.echo(f"{row['id']:>8}  {row['plant']:<6} {row['type']:<32} {row['reason_code']}: {row['reason']}")
    if not rows:
        click.echo("No dead letter matches.")


@dead.command()
@click.argument("message_id", type=int)
@json_option
def show(message_id: int, as_json: bool) -> None:
    """Show why one message is dead. Exit codes: 0 shown, 1 it is no dead letter. `lineside trace` shows its path."""
    with open_database(open_settings()) as store, store.reading() as session:
        message = find_message(session, message_id)
        if message is None or message_id not in dead_ids(session, [message_id]):
            raise AnswerIsNo(f"Message {message_id} is no dead letter.")
        row = _row(message)
    if as_json:
        print_json(row)
        return
    console = terminal()
    for name, value in row.items():
        if value is not None:
            console.print(f"{name:<18} {value}", markup=False)


def _row(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "plant": message.plant,
        "source": message.source,
        "source_message_id": message.source_message_id,
        "type": message.type,
        "reason_code": message.reason_code,
        "reason": message.reason,
        "reason_field": message.reason_field,
        "dead_since": message.state_at,
        "ordering_key": message.ordering_key,
    }


@dead.command()
@click.argument("ids", nargs=-1, type=int)
@chosen_by_filter
@click.option("--all", "everything", is_flag=True, help="Every dead letter, where no filter is given.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@json_option
def requeue(
    ids: tuple[int, ...],
    plant_: str | None,
    source_: str | None,
    type_: str | None,
    reason_: str | None,
    everything: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make dead letters due again: these IDS, or all that match the filter.

    Exit codes: 0 at least one was requeued (or would be), 1 none matches, 2 neither ids nor a filter is given.
    """
    chosen = _filter(plant_, source_, type_, reason_)
    filtered = chosen != DeadFilter()
    if bool(ids) == (filtered or everything):
        raise Unusable("Give ids, or a filter (--plant, --source, --type, --reason), or --all; not both.")
    with open_database(open_settings()) as store:
        if dry_run:
            moved = _would_be(store, ids, chosen)
        else:
            moved = _requeue_ids(store, ids) if ids else _requeue_matching(store, chosen)
    _tell(moved, "would be requeued" if dry_run else "requeued", as_json, dry_run)


def _would_be(store: Store, ids: tuple[int, ...], chosen: DeadFilter) -> list[int]:
    found: list[int] = []
    with store.reading() as session:
        if ids:
            return sorted(dead_ids(session, ids))
        while page := matching_ids(session, chosen, REQUEUE_CHUNK, found[-1] if found else 0):
            found += page
    return found


def _requeue_ids(store: Store, ids: tuple[int, ...]) -> list[int]:
    with store.writing() as session:
        return sorted(requeue_messages(session, ids, terminal_actor(), utc_now()))


def _requeue_matching(store: Store, chosen: DeadFilter) -> list[int]:
    """A chunk a commit, upwards by id, so that what dies again meanwhile is not requeued twice."""
    moved: list[int] = []
    while True:
        with store.writing() as session:
            after = moved[-1] if moved else 0
            chunk = sorted(requeue_matching(session, chosen, terminal_actor(), utc_now(), after))
        moved += chunk
        if not chunk:
            return moved


@dead.command()
@click.argument("ids", nargs=-1, type=int, required=True)
@click.option("--reason", required=True, help="Why; it is kept with the message and in the trail.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@json_option
def discard(ids: tuple[int, ...], reason: str, dry_run: bool, as_json: bool) -> None:
    """End dead letters for good. Exit codes: 0 done, 1 none of them is dead, or a target holds part of one."""
    with open_database(open_settings()) as store:
        if dry_run:
            moved = _would_be(store, ids, DeadFilter())
        else:
            try:
                with store.writing() as session:
                    moved = _discard(session, ids, reason)
            except DeadLetterError as error:
                raise AnswerIsNo(str(error)) from None
    _tell(moved, "would be discarded" if dry_run else "discarded", as_json, dry_run)


def _discard(session: Session, ids: tuple[int, ...], reason: str) -> list[int]:
    return sorted(discard_messages(session, ids, terminal_actor(), reason, utc_now()))


def _tell(moved: list[int], what: str, as_json: bool, dry_run: bool) -> None:
    if as_json:
        print_json({"count": len(moved), "ids": moved, "dry_run": dry_run})
    else:
        listed = ", ".join(map(str, moved[:IDS_PRINTED])) + (", ..." if len(moved) > IDS_PRINTED else "")
        click.echo(f"{len(moved)} {what}" + (f": {listed}" if moved else "."))
    if not moved:
        click.get_current_context().exit(1)
