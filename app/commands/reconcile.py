"""`lineside reconcile`: hold what a system says it has against what was reported, and name the messages in between."""

from __future__ import annotations

import csv
import sys
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

import click

from app.adapters.registry import build_adapter
from app.clock import utc_now
from app.commands.actor import terminal_actor
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unreachable, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.commands.proposals import adjust, approve, proposals, reject, requeue, take_over
from app.commands.show import ConsoleShow
from app.errors import LinesideError, Refused, TargetPaused
from app.projections.effects import has_effects
from app.projections.measuring import Yardstick
from app.projections.projector import project
from app.reconcile.keys import Level
from app.reconcile.reading import take_snapshot
from app.reconcile.reports import find_report, list_differences, list_reports
from app.reconcile.reports import reconcile as compare_snapshot
from app.reconcile.retention import keep_of, prune_reports
from app.reconcile.snapshots import balances_of_file
from app.store.session import Store
from app.store.snapshots import Balance, SnapshotUnreadable, save_snapshot
from app.web.reconciliations import COLUMNS, flat_difference, told_difference, told_fixes, told_report
from config.settings import Settings
from config.topology import Topology

DIFFERENCES_MOST = 100_000
SHOWN = 50
CATCH_UP_ROUNDS = 60
PAUSE_SECONDS = 0.2


@click.group()
def reconcile() -> None:
    """Differences between what a system says that it has and what was reported, each with its messages and fixes."""


for command in (take_over, adjust, proposals, approve, reject, requeue):
    reconcile.add_command(command)


@reconcile.command()
@click.argument("system")
@click.option("--against", metavar="SYSTEM", help="Another system to compare it with, which is read too.")
@click.option("--file", "stream", type=click.File(encoding="utf-8-sig"), help="Balances that it wrote, as CSV.")
@click.option("--level", type=click.Choice([level.value for level in Level]), default="item", show_default=True)
@json_option
def run(system: str, against: str | None, stream: TextIO | None, level: str, as_json: bool) -> None:
    """Take a snapshot of SYSTEM and compare it with what was reported, or --against another system.

    SYSTEM is a target, whose balances are read over its adapter, or with --file any target or source. The file has a
    header that names plant, item, quantity, uom and, where they are told apart, storage and lot. Exit codes: 0 all is
    explained, 1 something is not, 2 the file or the topology has to be mended, 3 the system does not answer.
    """
    settings = open_settings()
    topology = open_topology(settings)
    if against == system:
        raise Unusable("Name two systems.")
    with open_database(settings) as store:
        taking = _Taking(store, settings, topology)
        snapshot = taking.of_file(system, stream) if stream else taking.of_target(system)
        other = None if against is None else taking.of_target(against)
        _catch_up(store, Yardstick.of(topology))
        report = compare_snapshot(store, topology, snapshot, Level(level), terminal_actor(), utc_now(), other)
        with store.writing() as session:
            prune_reports(session, report.system, report.against, keep_of(topology, report.system))
        _show(store, topology, report.id, as_json)
    if report.unexplained:
        raise click.exceptions.Exit(AnswerIsNo.exit_code)


@reconcile.command("list")
@click.option("--system")
@click.option("--limit", default=20, type=click.IntRange(1, 1_000), show_default=True)
@json_option
def list_all(system: str | None, limit: int, as_json: bool) -> None:
    """What was compared, the newest first. Exit codes: 0 listed, 1 nothing was."""
    with open_database(open_settings()) as store, store.reading() as session:
        rows = [told_report(report) for report in list_reports(session, system, limit)]
    if as_json:
        print_json({"reconciliations": rows})
    for row in [] if as_json else rows:
        click.echo(
            f"{row['id']:>6}  {row['made_at']:%Y-%m-%d %H:%M}  {row['system']:<16} by {row['level']:<8} "
            f"{row['compared']} compared, {row['differences']} differ, {row['unexplained']} unexplained"
        )
    if not rows:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo("Nothing was compared yet.")


@reconcile.command("show")
@click.argument("report_id", type=int)
@click.option("--unexplained", is_flag=True, help="Only what the causes do not explain.")
@click.option("--csv", "as_csv", is_flag=True, help="Every difference as CSV.")
@json_option
def show_one(report_id: int, unexplained: bool, as_csv: bool, as_json: bool) -> None:
    """Show one comparison again. Exit codes: 0 shown, 1 there is none."""
    settings = open_settings()
    with open_database(settings) as store:
        _show(store, open_topology(settings), report_id, as_json, as_csv, unexplained)


@dataclass(frozen=True)
class _Taking:
    """Snapshots, kept as they are taken."""

    store: Store
    settings: Settings
    topology: Topology

    def of_file(self, system: str, stream: TextIO) -> int:
        self._check(system, {*self.topology.targets, *self.topology.sources}, "target or source")
        with _told_faults(system):
            balances = list(balances_of_file(stream))
        origin = getattr(stream, "name", "a file")
        with self.store.writing() as session:
            return save_snapshot(session, system, utc_now(), origin, terminal_actor(), balances)

    def of_target(self, system: str) -> int:
        self._check(system, self.topology.targets, "target")
        show = ConsoleShow(terminal(to_stderr=True))
        with _told_faults(system), show.progress(f"Reading the balances of {system}") as advance:
            adapter = build_adapter(self.topology.targets[system], self.settings)
            shown = partial(_counted, advance=advance)
            return take_snapshot(self.store, system, adapter, terminal_actor(), utc_now, shown)

    def _check(self, system: str, known: Collection[str], what: str) -> None:
        if system not in known:
            has = ", ".join(sorted(known)) or "none"
            raise Unusable(f"The topology has no {what} {system!r}; it has: {has}.")


@contextmanager
def _told_faults(system: str) -> Iterator[None]:
    """What a file or a system does wrong, as this command ends for it."""
    try:
        yield
    except SnapshotUnreadable as error:
        raise Unusable(str(error)) from None
    except UnicodeDecodeError:
        raise Unusable("The file is not UTF-8.") from None
    except (Refused, TargetPaused) as error:
        raise Unusable(f"{system}: {error}") from None
    except LinesideError as error:
        raise Unreachable(f"{system}: {error}") from None


def _counted(balances: Iterable[Balance], advance: Any) -> Iterable[Balance]:
    """How many there will be nobody knows: the bar only shows that it moves."""
    for number, balance in enumerate(balances):
        yield balance
        if number % 100 == 0:
            advance(1 - 1 / (1 + number / 1_000))


def _catch_up(store: Store, yardstick: Yardstick) -> None:
    """What took effect is entered first; where that takes a worker too long, the report is of what is entered."""
    for _ in range(CATCH_UP_ROUNDS):
        entered = project(store, utc_now, 1.0, yardstick).entered
        with store.reading() as session:
            if not has_effects(session):
                return
        if not entered:  # a worker is at it
            time.sleep(PAUSE_SECONDS)
    click.echo("Not all that took effect is entered yet; see `lineside projections`.", err=True)


def _show(
    store: Store, topology: Topology, report_id: int, as_json: bool, as_csv: bool = False, unexplained: bool = False
) -> None:
    with store.reading() as session:
        found = find_report(session, report_id)
        if found is None:
            raise AnswerIsNo(f"There is no reconciliation {report_id}.")
        report = told_report(found.report, found)
        rows = list_differences(session, report_id, DIFFERENCES_MOST, unexplained=unexplained)
        differences = [{**told_difference(row), "fixes": told_fixes(topology, found.report, row)} for row in rows]
    if as_json:
        print_json({**report, "found": differences})
    elif as_csv:
        writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat_difference(one) for one in differences)
    else:
        _print(report, differences)


def _print(report: dict[str, Any], differences: Sequence[dict[str, Any]]) -> None:
    against = f" against {report['against']}" if report["against"] else ""
    whom = f"{report['system']}{against} as of {report['cut_off']:%Y-%m-%d %H:%M:%S} UTC"
    of_them = f"{report['differences']} differ, {report['unexplained']} of them unexplained"
    click.echo(f"{whom}: {report['compared']} compared by {report['level']}, {of_them}. It is report {report['id']}.")
    for one in differences[:SHOWN]:
        place = " ".join(part for part in (one["plant"], one["item"], one["storage"], one["lot"]) if part)
        other = f"{report['against']} has" if report["against"] else "reported"
        amounts = f"has {one['system']} {one['uom']}, {other} {one['reported']} ({one['difference']})"
        click.echo(f"\n{one['number']}. {place}: {amounts}")
        for cause in one["causes"]:
            named = f", messages {', '.join(map(str, cause['messages'][:10]))}" if cause["messages"] else ""
            more = f" and {cause['count'] - 10} more" if cause["count"] > 10 else ""
            lacks = f" ({cause['system']})" if report["against"] and cause.get("system") else ""
            click.echo(f"  {cause['quantity']:>12}  {cause['told']}{lacks}{named}{more}. {cause['mend']}.")
        if one["unexplained"] != "0":
            click.echo(f"  {one['unexplained']:>12}  unexplained")
        for fix in one["fixes"]:
            command = f": {fix['command']}" if fix["command"] else ""
            click.echo(f"{'':>14}{fix['told']}{command}")
    if len(differences) > SHOWN:
        click.echo(f"\nThese are {SHOWN} of {len(differences)}: lineside reconcile show {report['id']} --csv has all.")
    if report["unread_count"]:
        named = ", ".join(map(str, report["unread"][:10]))
        click.echo(f"\nThe effect of {report['unread_count']} messages is not known yet: {named}.")
