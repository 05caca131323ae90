"""`lineside mapping diff`: what a changed mapping would make of messages that were mapped before."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from typing import Any

import click
from rich.console import Console

from app.commands.database import open_database
from app.commands.exits import NO, Unusable
from app.commands.mapping_amounts import amount_rows, print_amounts
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, plain_line, print_json, terminal
from app.commands.show import ConsoleShow
from app.commands.spans import Since
from app.mapping_changes.comparing import Released, Today, compare, read_today
from app.mapping_changes.comparison import Comparison, Group
from app.mapping_changes.released import ReleasedUnusable, released_folder, running_release
from app.mapping_changes.stored_messages import Chosen, stored_messages
from app.mapping_changes.trying import quiet_logs
from app.store.session import Store
from config.topology import Topology
from mappings.registry import INBOUND

COUNTS = (
    *("looked_at", "unchanged", "changed", "newly_refused", "newly_accepted", "refused_otherwise"),
    *("not_mapped_yet", "stored_otherwise"),
)
SHOWN_CHARACTERS = 120


@click.command("diff")
@click.option("--since", default="7d", show_default=True, type=Since(), help="7d, 12h, 30m, or a day.")
@click.option("--source", help="Only messages of this source.")
@click.option("--type", "kind", help="Only messages of this type, as it was sent.")
@click.option("--plant", help="Only messages of this plant.")
@click.option("--limit", default=100_000, show_default=True, type=click.IntRange(1, 10_000_000), help="The newest.")
@click.option("--released", metavar="REF", help="A commit or tag, or a folder with the mappings that are released.")
@json_option
def diff(
    since: datetime,
    source: str | None,
    kind: str | None,
    plant: str | None,
    limit: int,
    released: str | None,
    as_json: bool,
) -> None:
    """Run stored messages through the mappings of this code and print what comes out otherwise.

    Without --released they are held against the events that are stored: what their mapping and topology made of them
    then. With it the released mappings map them once more, with today's topology, so only the code makes a difference.
    Nothing is stored. Ctrl-C prints what was found so far. Exit codes: 0 nothing changes, 1 something does, or not all
    was looked at, 2 the call has to be mended.
    """
    settings = open_settings()
    topology = open_topology(settings)
    _refuse_unknown(topology, source, plant)
    comparison, ended_early = Comparison(), False
    chosen = Chosen(since, source, kind, plant)
    with open_database(settings) as store, ExitStack() as stack:
        try:
            today = read_today(store, topology)
            against, baseline = _baseline(stack, released, today)
            try:
                _run(stack, store, today, chosen, limit, against, comparison)
            except KeyboardInterrupt:
                ended_early = True
        except ReleasedUnusable as error:
            raise Unusable(str(error)) from None
        with store.reading() as session:
            amounts, values = amount_rows(comparison, session)
    told = _wire(comparison, topology, since, baseline, ended_early or comparison.looked_at >= limit)
    told |= {"amounts": amounts, "values": values}
    if as_json:
        print_json(told)
    else:
        _print(terminal(), told)
    if comparison.is_changed or ended_early:
        click.get_current_context().exit(NO)


def _refuse_unknown(topology: Topology, source: str | None, plant: str | None) -> None:
    for what, code, known in (("source", source, topology.sources), ("plant", plant, topology.plants)):
        if code is not None and code not in known:
            raise Unusable(f"The topology has no {what} {code!r}; it has: {', '.join(known)}.")


def _baseline(stack: ExitStack, released: str | None, today: Today) -> tuple[Released | None, str]:
    if released is None:
        return None, "the stored events"
    folder, name = stack.enter_context(released_folder(released))
    code = stack.enter_context(running_release(folder, today))
    return code.outcome, f"the mappings of {name}"


def _run(
    stack: ExitStack,
    store: Store,
    today: Today,
    chosen: Chosen,
    limit: int,
    released: Released | None,
    comparison: Comparison,
) -> None:
    stack.enter_context(quiet_logs())
    with ConsoleShow(terminal(to_stderr=True)).progress("Messages", estimate=True) as progress:
        for share, page in stored_messages(store, chosen, limit):
            compare(comparison, today, page, released)
            progress(share)


def _wire(
    comparison: Comparison, topology: Topology, since: datetime, baseline: str, is_partial: bool
) -> dict[str, Any]:
    groups = sorted(comparison.groups.items())
    return {
        "since": since,
        "held_against": baseline,
        "looked_at": comparison.looked_at,
        "partial": is_partial,
        "groups": [_group(topology, source, kind, group) for (source, kind), group in groups],
        "amounts_left_out": comparison.amounts_left_out,
    }


def _group(topology: Topology, source: str, kind: str, group: Group) -> dict[str, Any]:
    family = topology.sources[source].mapping if source in topology.sources else ""
    mapping = INBOUND.get((family, kind))
    return {
        "source": source,
        "type": kind,
        "mapping_version": mapping.version if mapping else None,
        "stored_versions": dict(group.versions.most_common()),
        **{name: getattr(group, name) for name in COUNTS},
        "changed_ids": group.changed_ids,
        "accepted_ids": group.accepted_ids,
        "fields": [
            {
                "field": path,
                "count": found.count,
                "examples": [{"id": key, "old": old, "new": new} for key, old, new in found.examples],
            }
            for path, found in sorted(group.fields.items(), key=lambda item: -item[1].count)
        ],
        "refusals": [
            {"code": code, "field": place or None, "count": each.count, "reason": each.reason, "ids": each.ids}
            for (code, place), each in sorted(group.refusals.items(), key=lambda item: -item[1].count)
        ],
    }


def _print(console: Console, told: dict[str, Any]) -> None:
    for group in told["groups"]:
        _print_group(console, group)
    print_amounts(console, told["amounts"], told["values"], told["amounts_left_out"])
    changed = sum(group["changed"] + group["newly_refused"] + group["newly_accepted"] for group in told["groups"])
    rest = "; not all of them: see --limit" if told["partial"] else ""
    plain_line(console, f"{told['looked_at']} looked at, held against {told['held_against']}{rest}.")
    plain_line(console, f"{changed} would come out otherwise.")


def _print_group(console: Console, group: dict[str, Any]) -> None:
    plain_line(console, f"{group['source']}  {group['type']}  (mapping now {group['mapping_version'] or 'none'})")
    versions = ", ".join(f"{version}: {count}" for version, count in group["stored_versions"].items())
    plain_line(console, f"  stored by    {versions or 'no mapping yet'}")
    counts = (f"{name.replace('_', ' ')} {group[name]}" for name in COUNTS if group[name])
    plain_line(console, f"  messages     {', '.join(counts)}")
    for each in group["fields"]:
        plain_line(console, f"  {each['field']}: {each['count']}")
        for example in each["examples"]:
            shown = f"{_shown(example['old'])} -> {_shown(example['new'])}"
            plain_line(console, f"    message {example['id']}: {shown}")
    for each in group["refusals"]:
        where = f" at {each['field']}" if each["field"] else ""
        ids = ", ".join(map(str, each["ids"])) + (", ..." if each["count"] > len(each["ids"]) else "")
        plain_line(console, f"  refused with {each['code']}{where}: {each['count']} (messages {ids})")
        plain_line(console, f"    {each['reason']}")
    if group["accepted_ids"]:
        plain_line(console, f"  newly accepted: messages {', '.join(map(str, group['accepted_ids']))}")
    plain_line(console, "")


def _shown(value: Any) -> str:
    text = "absent" if value is None else str(value)
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."
