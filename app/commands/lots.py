"""`lineside lots`: the genealogy of a lot, and its history as an EPCIS document."""

from __future__ import annotations

import sys

import click

from app.clock import utc_now
from app.commands.database import open_database
from app.commands.exits import AnswerIsNo
from app.commands.opening import open_settings, open_topology
from app.commands.printing import json_option, print_json
from app.projections.lot_trace import LOTS_MOST, Direction
from app.web.lot_epcis import MESSAGES_MOST, Asked, lot_document
from app.web.lots import item_of_lot, told_trace, trace_lot
from app.web.problems import Problem


@click.group()
def lots() -> None:
    """Lots: what they were made of, what was made of them, and their history for others."""


@lots.command("trace")
@click.argument("lot")
@click.option("--item", help="The item, where lots of several items have this name.")
@click.option("--direction", type=click.Choice([one.value for one in Direction]), default="up", show_default=True)
@click.option("--limit", type=click.IntRange(1, LOTS_MOST), default=1_000, show_default=True, help="Lots at most.")
@json_option
def trace_one(lot: str, item: str | None, direction: str, limit: int, as_json: bool) -> None:
    """What a lot was made of, or what was made of it. Exit codes: 0 shown, 1 nobody has told of it."""
    way = Direction(direction)
    try:
        with open_database(open_settings()) as store, store.reading() as session:
            told = told_trace(trace_lot(session, lot, item, way, limit), way)
    except Problem as problem:
        raise AnswerIsNo(problem.detail) from None
    if as_json:
        print_json(told)
        return
    for one in told["lots"]:
        amounts = ", ".join(f"{kind} {amount}" for kind, amount in {**one["came"], **one["went"]}.items())
        held = f", {len(one['holds'])} holds" if one["holds"] else ""
        depth = "  " * min(one["depth"], 20)
        click.echo(
            f"{depth}{one['item']} lot {one['lot']}: on hand {one['on_hand']} {one['uom'] or ''} ({amounts}){held}"
        )
    for gap in told["gaps"]:
        click.echo(f"! {gap['told']}")
    if not told["is_whole"]:
        click.echo(f"There are more than {limit} lots.")


@lots.command("epcis")
@click.argument("lot")
@click.option("--item", help="The item, where lots of several items have this name.")
@click.option("--direction", "directions", multiple=True, type=click.Choice([one.value for one in Direction]))
@click.option("--target", help="Whose names of items and places are used, where several targets are of EPCIS.")
@click.option("--after", type=click.IntRange(0), default=0, help="The `next` of the page before.")
@click.option("--limit", type=click.IntRange(1, MESSAGES_MOST), default=MESSAGES_MOST, help="Messages a page.")
def export_epcis(
    lot: str, item: str | None, directions: tuple[str, ...], target: str | None, after: int, limit: int
) -> None:
    """Print an EPCIS 2.0 document of a lot's history, up and down. Exit codes: 0 printed, 1 nobody has told of it."""
    settings = open_settings()
    topology = open_topology(settings)
    ways = [Direction(one) for one in directions] or list(Direction)
    try:
        with open_database(settings) as store:
            with store.reading() as session:
                found = item_of_lot(session, lot, item)
            for piece in lot_document(store, topology, Asked(found, lot, ways, target, after, limit), utc_now()):
                sys.stdout.write(piece)
            sys.stdout.write("\n")
    except Problem as problem:
        raise AnswerIsNo(problem.detail) from None
