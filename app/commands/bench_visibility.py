"""`lineside bench visibility`: what the picture costs to read, with few messages in the database and with many."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.console import Console
from rich.table import Table

from app.bench.ground import GroundMissing
from app.bench.installation import POSTGRES_URL, STACKS, Ground, Stack
from app.bench.visibility import Figure, VisibilityPlan, run_visibility
from app.commands.exits import NO, Unreachable, Unusable
from app.commands.printing import json_option, print_json, terminal
from app.commands.show import ConsoleShow


@click.command()
@click.option("--messages", default=1_000_000, type=click.IntRange(2_000, 10_000_000), show_default=True)
@click.option("--few", default=100_000, type=click.IntRange(1_000, 1_000_000), show_default=True)
@click.option("--stack", type=click.Choice(STACKS), default=STACKS[0], show_default=True)
@click.option("--database-url", default=POSTGRES_URL, show_default=True, help="A server to make a database on.")
@json_option
def visibility(messages: int, few: int, stack: Stack, database_url: str, as_json: bool) -> None:
    """Measure how fast lists, details, traces and reconciliation answer, with --few messages stored and with many.

    With --json one list of {name, stack, figure, unit, yardstick, ratio, goal, met}; the yardstick is the same with
    few messages. Exit codes: 0 every goal is met, 1 one is not, 3 a server that the stack needs does not answer.
    """
    if few >= messages:
        raise Unusable("--few must be less than --messages.")
    try:
        figures = run_visibility(
            VisibilityPlan(Ground(stack, database_url), few, messages), ConsoleShow(terminal(to_stderr=True))
        )
    except GroundMissing as error:
        raise Unreachable(str(error)) from None
    if as_json:
        print_json([figure.wire(stack) for figure in figures])
    else:
        print_visibility(terminal(), figures, messages, stack)
    if not all(figure.met for figure in figures):
        click.get_current_context().exit(NO)


def print_visibility(console: Console, figures: Sequence[Figure], messages: int, stack: Stack) -> None:
    shown = Table("what", f"with {messages:,} messages", "with few", "x", "goal", "met", title=f"On {stack}")
    for figure in figures:
        told = figure.wire(stack)
        few = "" if figure.few is None else f"{figure.few:.4g}"
        ratio = "" if told["ratio"] is None else f"{told['ratio']:g}"
        row = (figure.name, f"{figure.figure:.4g} {figure.unit}", few, ratio, figure.goal or "")
        shown.add_row(*row, {None: "", True: "yes", False: "no"}[figure.met])
    console.print(shown)
