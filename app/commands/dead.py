"""`lineside dead`: the dead letters, and what a person can do about them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.corrections import correct, payload
from app.commands.database import open_database
from app.commands.exits import NO, AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.dead_letters.impact_lists import Sort, impact_of, list_letters
from app.dead_letters.repair import REQUEUE_CHUNK, DeadLetterError, requeue_matching
from app.dead_letters.repair import discard as discard_messages
from app.dead_letters.repair import requeue as requeue_messages
from app.dead_letters.selection import DeadFilter, NotDead, dead_ids, matching_ids, name_not_dead
from app.dead_letters.subject import KINDS
from app.inbox.lookup import find_message
from app.store.messages_tables import Message
from app.store.session import Store
from app.web.dead_letter_filter import unknown_code
from app.web.impacts import told_impact, words_of_impact
from app.web.parameters import ID_MOST

SHOWN_MOST = 1_000
IDS_PRINTED = 20
MESSAGE_ID = click.IntRange(1, ID_MOST)


@click.group()
def dead() -> None:
    """Dead letters: list, show, requeue, correct, discard. What is due again is worked on within seconds."""


dead.add_command(payload)
dead.add_command(correct)


def chosen_by_filter(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say which dead letters are meant; all that are given must match."""
    for kind in reversed(KINDS):
        what = kind.replace("_", " ")
        option = click.option(f"--{what.replace(' ', '-')}", f"{kind}_", help=f"The {what} that it is about or names.")
        function = option(function)
    for name, text in (
        ("reason", "The reason's code, such as unit_unknown."),
        ("type", "The type as it was sent."),
        ("source", "The source's code."),
        ("plant", "The plant's code."),
    ):
        function = click.option(f"--{name}", f"{name}_", help=text)(function)
    return function


def _filter(
    plant: str | None, source: str | None, kind: str | None, reason: str | None, about: Mapping[str, str | None]
) -> DeadFilter:
    things: dict[str, Any] = {name.removesuffix("_"): code for name, code in about.items()}
    return DeadFilter(plant=plant, source=source, type=kind, reason_code=reason, **things)


@dead.command("list")
@chosen_by_filter
@click.option("--sort", type=click.Choice([one.value for one in Sort]), default=Sort.IMPACT.value, show_default=True)
@click.option("--limit", type=click.IntRange(1, SHOWN_MOST), default=50, show_default=True)
@json_option
def show_list(
    plant_: str | None,
    source_: str | None,
    type_: str | None,
    reason_: str | None,
    sort: str,
    limit: int,
    as_json: bool,
    **about: str | None,
) -> None:
    """List dead letters, those first that hold up most, with the points of that and what they stand for.

    Exit codes: 0, also where there are none, 2 there is no such plant or source.
    """
    chosen = _filter(plant_, source_, type_, reason_, about)
    now = utc_now()
    with open_database(open_settings()) as store, store.reading() as session:
        letters = list_letters(session, chosen, Sort(sort), limit).letters
        rows = [_row(each.message) | {"impact": told_impact(each.impact, now)} for each in letters]
    if not rows:
        _refuse_unknown(chosen)
    if as_json:
        print_json({"dead_letters": rows})
        return
    for row in rows:
        impact = row["impact"]
        told = f"{row['id']:>8} {impact['points']:>4}  {row['plant']:<6} {row['type']:<32}"
        click.echo(f"{told} {row['reason_code']}: {row['reason']}")
        if words := words_of_impact(impact):
            click.echo(f"{'':>15}{words}")
    if not rows:
        click.echo("No dead letter matches.")


@dead.command()
@click.argument("message_id", type=MESSAGE_ID)
@json_option
def show(message_id: int, as_json: bool) -> None:
    """Show why one message is dead. Exit codes: 0 shown, 1 it is no dead letter. `lineside trace` shows its path."""
    with open_database(open_settings()) as store, store.reading() as session:
        message = find_message(session, message_id)
        if message is None or message_id not in dead_ids(session, [message_id]):
            raise AnswerIsNo(f"Message {message_id} is no dead letter.")
        impact = impact_of(session, message_id)
        told = None if impact is None else told_impact(impact, utc_now())
        row = _row(message) | {"impact": told}
    if as_json:
        print_json(row)
        return
    console = terminal()
    if told is not None:
        row["impact"] = f"{told['points']} {words_of_impact(told)}".strip()
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
@click.argument("ids", nargs=-1, type=MESSAGE_ID)
@chosen_by_filter
@click.option("--all", "everything", is_flag=True, help="Every dead letter, where no filter is given.")
@click.option("--out-of-order", metavar="REASON", help="Also after later ones of their order or lot, and why.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@json_option
def requeue(
    ids: tuple[int, ...],
    plant_: str | None,
    source_: str | None,
    type_: str | None,
    reason_: str | None,
    everything: bool,
    out_of_order: str | None,
    dry_run: bool,
    as_json: bool,
    **about: str | None,
) -> None:
    """Make dead letters due again: these IDS, or all that match the filter.

    Exit codes: 0 requeued (or would be), 1 none matches, or one of the IDS is no dead letter (the others are requeued),
    2 neither ids nor a filter is given, or it names no plant or source.
    """
    chosen = _filter(plant_, source_, type_, reason_, about)
    filtered = chosen != DeadFilter()
    if bool(ids) == (filtered or everything):
        raise Unusable("Give ids, or a filter (--plant, --reason, --order, ...), or --all; not both.")
    with open_database(open_settings()) as store:
        if ids:
            moved, others = _would_be(store, ids) if dry_run else _requeue_ids(store, ids, out_of_order)
        else:
            moved, others = _matching(store, chosen) if dry_run else _requeue_matching(store, chosen, out_of_order), []
    if filtered and not moved:
        _refuse_unknown(chosen)
    _tell(moved, others, "would be requeued" if dry_run else "requeued", as_json, dry_run)


def _refuse_unknown(chosen: DeadFilter) -> None:
    """Where nothing matches a plant or source that is not in the topology, say that and not only that nothing does."""
    if (chosen.plant or chosen.source) and (unknown := unknown_code(chosen, open_topology(open_settings()))):
        raise Unusable(unknown)


def _would_be(store: Store, ids: tuple[int, ...]) -> tuple[list[int], list[NotDead]]:
    with store.reading() as session:
        found = dead_ids(session, ids)
        return sorted(found), name_not_dead(session, ids, found)


def _matching(store: Store, chosen: DeadFilter) -> list[int]:
    found: list[int] = []
    with store.reading() as session:
        while page := matching_ids(session, chosen, REQUEUE_CHUNK, found[-1] if found else 0):
            found += page
    return found


def _requeue_ids(store: Store, ids: tuple[int, ...], out_of_order: str | None) -> tuple[list[int], list[NotDead]]:
    with store.writing() as session:
        moved = requeue_messages(session, ids, terminal_actor(), utc_now(), out_of_order)
        return sorted(moved), name_not_dead(session, ids, moved)


def _requeue_matching(store: Store, chosen: DeadFilter, out_of_order: str | None) -> list[int]:
    """A chunk a commit, upwards by id, so that what dies again meanwhile is not requeued twice."""
    moved: list[int] = []
    while True:
        with store.writing() as session:
            after = moved[-1] if moved else 0
            chunk = sorted(requeue_matching(session, chosen, terminal_actor(), utc_now(), after, out_of_order))
        moved += chunk
        if not chunk:
            return moved


@dead.command()
@click.argument("ids", nargs=-1, type=MESSAGE_ID, required=True)
@click.option("--reason", required=True, help="Why; it is kept with the message and in the trail.")
@click.option("--dry-run", is_flag=True, help="Only say how many it would be.")
@json_option
def discard(ids: tuple[int, ...], reason: str, dry_run: bool, as_json: bool) -> None:
    """End dead letters for good.

    Exit codes: 0 done (or would be), 1 one of the IDS is no dead letter (the others are discarded), or a target holds
    part of one (then none is).
    """
    with open_database(open_settings()) as store:
        try:
            moved, others = _would_be(store, ids) if dry_run else _discard(store, ids, reason)
        except DeadLetterError as error:
            raise AnswerIsNo(str(error)) from None
    _tell(moved, others, "would be discarded" if dry_run else "discarded", as_json, dry_run)


def _discard(store: Store, ids: tuple[int, ...], reason: str) -> tuple[list[int], list[NotDead]]:
    with store.writing() as session:
        moved = discard_messages(session, ids, terminal_actor(), reason, utc_now())
        return sorted(moved), name_not_dead(session, ids, moved)


def _tell(moved: list[int], others: list[NotDead], what: str, as_json: bool, dry_run: bool) -> None:
    if as_json:
        not_dead = [each.wire() for each in others]
        print_json({"count": len(moved), "ids": moved, "not_dead": not_dead, "dry_run": dry_run})
    else:
        click.echo(f"{len(moved)} {what}" + (f": {_listed(moved)}" if moved else "."))
        if others:
            click.echo(f"Not a dead letter: {_listed(others)}", err=True)
    if others or not moved:
        click.get_current_context().exit(NO)


def _listed(things: Sequence[object]) -> str:
    return ", ".join(map(str, things[:IDS_PRINTED])) + (", ..." if len(things) > IDS_PRINTED else "")
