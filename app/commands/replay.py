"""`lineside replay`: past messages through today's mapping, shown first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click
from rich.console import Console

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import NO, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.commands.spans import Since
from app.inbox.lookup import MessageFilter
from app.mapping_changes.replaying import (
    REPLAYED_MOST,
    Document,
    Order,
    Outlook,
    Verdict,
    look_at,
    posted_ids,
    replay_changed,
)
from app.mapping_changes.trying import quiet_logs
from app.store.session import Store
from app.web.parameters import ID_MOST
from config.topology import Topology

SHOWN_CHARACTERS = 80


@click.command()
@click.argument("ids", nargs=-1, type=click.IntRange(1, ID_MOST))
@click.option("--source", help="Posted messages of this source.")
@click.option("--type", "kind", help="Posted messages of this type, as it was sent.")
@click.option("--plant", help="Posted messages of this plant.")
@click.option("--since", type=Since(), help="Posted messages that came since: 7d, 12h, 30m, or a day.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, REPLAYED_MOST), help="The newest.")
@click.option("--before", type=click.IntRange(1, ID_MOST), help="Only older ones than this id, to go on from there.")
@click.option("--reason", help="Replay them, and why; it is kept with the messages and in the trail.")
@json_option
def replay(
    ids: tuple[int, ...],
    source: str | None,
    kind: str | None,
    plant: str | None,
    since: datetime | None,
    limit: int,
    before: int | None,
    reason: str | None,
    as_json: bool,
) -> None:
    """Show what posted messages would become through today's mapping, topology and crosswalks: these IDS, or those that
    match. With --reason, have those that would change replayed: first their targets' documents are reversed, then a new
    message with the same content is mapped and posted in place of each.

    Exit codes: 0 shown, or replayed, 1 one of them cannot be replayed (the others are), 2 neither ids nor a filter is
    given, or the reason has less than 3 characters.
    """
    filtered = any(value is not None for value in (source, kind, plant, since))
    if bool(ids) == filtered:
        raise Unusable("Give ids, or a filter (--source, --type, --plant, --since); not both.")
    if len(ids) > REPLAYED_MOST or (reason is not None and not 3 <= len(reason) <= 1_000):
        raise Unusable(f"A call takes at most {REPLAYED_MOST} ids, and a reason of 3 to 1,000 characters.")
    settings = open_settings()
    topology = open_topology(settings)
    chosen = MessageFilter((plant,) if plant else (), source=source, type=kind, received_after=since)
    with open_database(settings) as store, quiet_logs():
        wanted, following = (list(dict.fromkeys(ids)), None) if ids else _matching(store, chosen, limit, before)
        found = _act(store, topology, wanted, reason)
    if as_json:
        messages = [one.wire() for one in found]
        print_json({"count": _count(found), "dry_run": reason is None, "messages": messages, "next": following})
    else:
        _print(terminal(), found, following, done=reason is not None)
    if any(one.verdict is Verdict.NOT_POSSIBLE for one in found):
        click.get_current_context().exit(NO)


def _matching(store: Store, chosen: MessageFilter, limit: int, before: int | None) -> tuple[list[int], int | None]:
    with store.reading() as session:
        return posted_ids(session, chosen, limit, before)


def _act(store: Store, topology: Topology, ids: Sequence[int], reason: str | None) -> list[Outlook]:
    if reason is None:
        return list(look_at(store, topology, ids))
    return list(replay_changed(store, topology, ids, Order(terminal_actor(), reason, utc_now)))


def _count(found: Sequence[Outlook]) -> int:
    return sum(one.verdict is Verdict.CHANGES for one in found)


def _print(console: Console, found: Sequence[Outlook], following: int | None, *, done: bool) -> None:
    for one in found:
        what = f"replayed as message {one.replay_id}" if one.replay_id else one.verdict.value.replace("_", " ")
        why = f": {one.reason}" + (f" (at {one.field})" if one.field else "") if one.reason else ""
        plain_line(console, f"message {one.message_id}  {what}{why}")
        for change in one.changes:
            plain_line(console, f"  {change.path}: {_shown(change.old)} -> {_shown(change.new)}")
        if one.reverses:
            plain_line(console, f"  reversed first: {_listed(one.reverses)}")
        if one.posts:
            plain_line(console, f"  then posted to: {_listed(one.posts)}")
    more = f" Older ones: --before {following}." if following else ""
    what = "are replayed" if done else "would be replayed; --reason TEXT does it"
    plain_line(console, f"{len(found)} looked at, {_count(found)} {what}.{more}")


def _listed(documents: Sequence[Document]) -> str:
    return ", ".join(one.target + (f" {one.reference}" if one.reference else "") for one in documents)


def _shown(value: object) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
