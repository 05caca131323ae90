"""`lineside demo`: the whole way on one machine, with a real ERP and a sample shift of three plants."""

from __future__ import annotations

import click
from rich.console import Console
from rich.table import Table

from app.adapters.known_names import known_names
from app.commands.actor import terminal_actor
from app.commands.exits import Unreachable, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.commands.show import ConsoleShow
from app.commands.stack import plain_faults, wait_for_the_end
from app.demo.erp_processes import ErpUnavailable
from app.demo.practice import NoDemonstration
from app.demo.run import Report, demonstration
from app.demo.sending import SendFailed


@click.command()
@click.option("--once", is_flag=True, help="End after the table instead of running on until Ctrl-C.")
@json_option
def demo(once: bool, as_json: bool) -> None:
    """Run Lineside with an ERP and three plants, send a sample shift, and show what became of it.

    Builds the ERP on the first run (about half a minute). Every further run sends a further shift. Exit codes: 0 ended
    in order, 1 the shift did not settle in time, 2 something has to be mended first, 3 something does not answer.
    """
    settings = open_settings()
    topology = open_topology(settings, known_names())
    console = terminal(to_stderr=True)
    running = demonstration(settings, topology, ConsoleShow(console), terminal_actor())
    settled = True
    try:
        with plain_faults(settings), running as report:
            if as_json:
                print_json(report.as_json())
            else:
                print_report(terminal(), report)
            settled = report.settled
            if not once:
                console.print("Everything runs on. Ctrl-C ends every process.")
                wait_for_the_end()
    except (NoDemonstration, ErpUnavailable) as error:
        raise Unusable(str(error)) from None
    except SendFailed as error:
        raise Unreachable(str(error)) from None
    if not settled:
        click.get_current_context().exit(1)


def print_report(console: Console, report: Report) -> None:
    console.print(_table(report))
    if not report.settled:
        console.print("Not everything had come to rest yet; the console shows how it goes on.")
    if report.answers.get("repeat"):
        console.print(f"{report.answers['repeat']} message was sent twice on purpose and counted once.")
    for row in report.rows:
        if row.erp_postings != row.in_erp:
            console.print(f"{row.plant}: Lineside posted {row.erp_postings} documents, the ERP holds {row.in_erp}.")
    for name, address in report.addresses.items():
        console.print(f"{name:<8} {address}")
    if report.credentials is not None:
        _print_credentials(console, report)


def _table(report: Report) -> Table:
    table = Table(title=f"Shift {report.run}: all messages so far", title_justify="left")
    table.add_column("plant")
    others = any(row.ended_by_people for row in report.rows)
    flying = any(row.in_flight for row in report.rows)
    names = ["accepted", "posted", "waiting", "dead", *(["in flight"] if flying else [])]
    for name in [*names, *(["ended by people"] if others else []), "in the ERP"]:
        table.add_column(name, justify="right")
    for row in report.rows:
        numbers = [row.accepted, row.posted, row.waiting, row.dead, *([row.in_flight] if flying else [])]
        numbers += [row.ended_by_people] if others else []
        table.add_row(row.plant, *map(str, numbers), f"{row.in_erp} documents")
    return table


def _print_credentials(console: Console, report: Report) -> None:
    credentials = report.credentials
    assert credentials is not None
    console.print("\nShown this once; nobody can show it again:")
    console.print(f"  console account  {credentials.account}  password  {credentials.password}")
    for source, key in credentials.keys.items():
        console.print(f"  key of source {source:<10} {key}")
