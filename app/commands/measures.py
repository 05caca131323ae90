"""`lineside measures`: latency, timeliness, resolution, attainment and trends by plant, process and day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click
from rich.table import Table

from app.clock import utc_now
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo, Unusable
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json, terminal
from app.projections.processes import Process
from app.web.measures import GROUPS, duration_in_words, question_of_query, told_measures
from app.web.problems import Problem

_COLUMNS = (
    *("plant", "process", "day"),
    *("posted", "event p50", "event p95", "accepted p95", "level", "by hand"),
    *("died", "settled", "resolution p50", "raised", "resolved", "backlog p95"),
)


@click.command()
@click.option("--plant", "plants", multiple=True, help="All unless told; may be given several times.")
@click.option("--process", "processes", multiple=True, type=click.Choice([process.value for process in Process]))
@click.option("--from", "first_on", metavar="DAY", help="Such as 2026-03-01; seven days before --to unless told.")
@click.option("--to", "last_on", metavar="DAY", help="Today unless told.")
@click.option("--by", "groups", multiple=True, type=click.Choice(GROUPS), help="Plant and process unless told.")
@json_option
def measures(
    plants: tuple[str, ...],
    processes: tuple[str, ...],
    first_on: str | None,
    last_on: str | None,
    groups: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show measures of some days, added up by plant, process and day as asked for.

    Exit codes: 0 shown, 1 nothing was measured then, 2 a plant or a day that cannot be.
    """
    settings = open_settings()
    topology = open_topology(settings)
    asked = {"plant": ",".join(plants), "process": ",".join(processes), "group": ",".join(groups)}
    asked |= {"from": first_on or "", "to": last_on or ""}
    with open_database(settings) as store, store.reading() as session:
        try:
            question = question_of_query(asked, topology, utc_now())
            told = told_measures(session, question, topology.service_levels.get("accept_to_posted_seconds"))
        except Problem as problem:
            raise Unusable(problem.detail) from None
    if as_json:
        print_json(told)
    elif told["measures"]:
        _show(told)
    if not told["measures"]:
        raise click.exceptions.Exit(1) if as_json else AnswerIsNo("Nothing was measured on these days.")


def _show(told: Mapping[str, Any]) -> None:
    table = Table(box=None, pad_edge=False)
    for number, name in enumerate(_COLUMNS):
        table.add_column(name, justify="left" if number < len(GROUPS) else "right")
    for row in told["measures"]:
        counts = row["counts"]
        table.add_row(
            row["plant"] or "-",
            row["process"] or "-",
            row["day"] or "-",
            str(counts["posted"]),
            duration_in_words(row["event_to_posted"]["p50_seconds"]),
            duration_in_words(row["event_to_posted"]["p95_seconds"]),
            duration_in_words(row["accepted_to_posted"]["p95_seconds"]),
            _share(row["service_level_attainment"]),
            _share(row["handled_share"]),
            str(counts["died"]),
            str(counts["settled"]),
            duration_in_words(row["resolution"]["p50_seconds"]),
            str(counts["raised"]),
            str(counts["resolved"]),
            duration_in_words(row["backlog_age"]["p95_seconds"]),
        )
    console = terminal()
    console.print(f"{told['from']} to {told['to']}")
    console.print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
