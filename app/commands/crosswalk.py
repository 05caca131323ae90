"""`lineside crosswalk`: what a system's values become, what is missing, and what was changed."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from itertools import islice
from typing import Any, TextIO

import click

from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.crosswalks.changing import Entry
from app.crosswalks.lookup import list_changes, list_entries, list_missing
from app.store.session import Store
from app.web.crosswalks import ENTRIES_AT_ONCE, change_crosswalk, told_change, told_entry, told_missing
from app.web.problems import Problem
from config.topology import Topology

MOST = 10_000
"""Entries and changes that are listed at most."""


@click.group()
def crosswalk() -> None:
    """Value tables of sources and targets: units, reasons, storages and others that mappings ask by name.

    The topology lists which of them a source or target uses. A value that one of these lacks makes a message wait;
    filling it in lets all that wait for it go on.
    """


@crosswalk.command("list")
@click.option("--system", help="The source's or target's code.")
@click.option("--name", help="The table, such as units.")
@json_option
def list_all(system: str | None, name: str | None, as_json: bool) -> None:
    """List the entries. Exit codes: 0 listed, 1 there is none."""
    with open_database(open_settings()) as store, store.reading() as session:
        rows = [told_entry(row) for row in list_entries(session, system, name, MOST + 1)]
    if as_json:
        print_json({"entries": rows[:MOST], "more": len(rows) > MOST})
    for row in [] if as_json else rows[:MOST]:
        click.echo(f"{row['system']:<16} {row['name']:<16} {row['value']:<24} {row['becomes']}")
    _end(rows, as_json, "No crosswalk has such an entry.")


@crosswalk.command("missing")
@json_option
def list_what_is_missing(as_json: bool) -> None:
    """List the values that messages wait for. Exit codes: 0 listed, 1 nothing is missing."""
    with open_database(open_settings()) as store, store.reading() as session:
        rows = [dict(told_missing(one)) for one in list_missing(session)]
    if as_json:
        print_json({"missing": rows})
    for row in [] if as_json else rows:
        waits = f"{row['messages']} wait" if row["messages"] > 1 else "1 waits"
        first = f"{waits}, the first is message {row['first_message']}"
        click.echo(f"{row['system']:<16} {row['name']:<16} {row['value']:<24} {first}")
    _end(rows, as_json, "No message waits for a crosswalk.")


@crosswalk.command("history")
@click.option("--system", help="The source's or target's code.")
@click.option("--name", help="The table, such as units.")
@click.option("--limit", default=100, type=click.IntRange(1, MOST), show_default=True)
@json_option
def list_history(system: str | None, name: str | None, limit: int, as_json: bool) -> None:
    """List what was changed, the newest first. Exit codes: 0 listed, 1 there is none."""
    with open_database(open_settings()) as store, store.reading() as session:
        rows = [told_change(row) for row in list_changes(session, system, name, limit)]
    if as_json:
        print_json({"changes": rows})
    for row in [] if as_json else rows:
        at = row["at"].isoformat(timespec="seconds").replace("+00:00", "Z")
        change = f"{row['before'] or '(none)'} -> {row['after'] or '(removed)'}"
        note = f"  {row['note']}" if row["note"] else ""
        click.echo(f"{at}  {row['actor']:<16} {row['system']}/{row['name']} {row['value']}: {change}{note}")
    _end(rows, as_json, "Nothing was changed.")


@crosswalk.command("set")
@click.argument("system")
@click.argument("name")
@click.argument("value")
@click.argument("becomes")
@click.option("--note", help="Why; kept in the history.")
def set_one(system: str, name: str, value: str, becomes: str, note: str | None) -> None:
    """Fill in or change one entry: lineside crosswalk set mes-p100 units STK EA. Exit codes: 0 done, 1 refused."""
    changed = _change(system, name, [Entry(value, becomes)], note)
    click.echo(f"{system}/{name}: {value} becomes {becomes}." + ("" if changed else " It did already."))


@crosswalk.command("remove")
@click.argument("system")
@click.argument("name")
@click.argument("value")
@click.option("--note", help="Why; kept in the history.")
def remove_one(system: str, name: str, value: str, note: str | None) -> None:
    """Take one entry out. Exit codes: 0 done, 1 refused, or it is not there."""
    if not _change(system, name, [Entry(value, None)], note):
        raise AnswerIsNo(f"{system}/{name} has no entry for {value!r}.")
    click.echo(f"{system}/{name}: {value} is taken out.")


@crosswalk.command("load")
@click.argument("system")
@click.argument("name")
@click.argument("file", type=click.File("r", encoding="utf-8-sig"))
@click.option("--note", help="Why; kept in the history.")
def load_file(system: str, name: str, file: TextIO, note: str | None) -> None:
    """Fill in or change every entry of a CSV file with the columns value,becomes; `-` reads standard input.

    What it does not name stays. Exit codes: 0 done, 1 an entry is refused and what came before it is kept, 2 the file
    is no such file.
    """
    settings, changed, read = open_settings(), 0, 0
    topology = open_topology(settings)
    with open_database(settings) as store:
        found = _entries(file)
        while entries := list(islice(found, ENTRIES_AT_ONCE)):
            changed += _change_in(store, topology, system, name, entries, note)
            read += len(entries)
    click.echo(f"{system}/{name}: {read:,} entries read, {changed:,} of them new or changed.")


def _entries(file: TextIO) -> Iterator[Entry]:
    rows = csv.DictReader(file)
    if rows.fieldnames is None or not {"value", "becomes"} <= set(rows.fieldnames):
        raise Unusable("The file's first line must name the columns value,becomes.")
    for row in rows:
        value, becomes = row["value"], row["becomes"]
        if not value or not becomes:
            raise Unusable(f"line {rows.line_num}: value and becomes must both be given.")
        yield Entry(value.strip(), becomes.strip())


def _change(system: str, name: str, entries: list[Entry], note: str | None) -> int:
    settings = open_settings()
    with open_database(settings) as store:
        return _change_in(store, open_topology(settings), system, name, entries, note)


def _change_in(store: Store, topology: Topology, system: str, name: str, entries: list[Entry], note: str | None) -> int:
    try:
        return change_crosswalk(store, topology, system, name, entries, terminal_actor(), note, utc_now())
    except Problem as problem:
        raise AnswerIsNo(problem.detail) from None


def _end(rows: list[Any], as_json: bool, nothing: str) -> None:
    if not rows:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo(nothing)
