"""`lineside bench`: runs that prove the promises under fire."""

from __future__ import annotations

import re

import click
from rich.console import Console
from rich.table import Table

from app.bench.ground import GroundFailed, GroundMissing
from app.bench.installation import POSTGRES_URL, RABBITMQ_URL, STACKS, Ground, Stack
from app.bench.run import Outcome, Plan, run_chaos
from app.commands.exits import NO, Unreachable
from app.commands.printing import json_option, print_json, terminal
from app.commands.show import ConsoleShow
from app.stack.running import StartFailed


class SeedRange(click.ParamType[range]):
    """``7``, or ``1..20``."""

    name = "N or N..M"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> range:
        found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", value)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            self.fail(f"{value!r} is no number and no range such as 1..20", param, ctx)
        return range(first, last + 1)


@click.group()
def bench() -> None:
    """Prove the promises under fire, in an installation of its own that is gone afterwards."""


@bench.command()
@click.option("--messages", default=2000, show_default=True, type=click.IntRange(60, 100_000))
@click.option("--faults", default=60, show_default=True, type=click.IntRange(0, 1_000))
@click.option("--seed", "--seeds", "seeds", default="1", show_default=True, type=SeedRange(), help="One, or 1..20.")
@click.option("--stack", default=STACKS[0], show_default=True, type=click.Choice(STACKS))
@click.option("--database-url", default=POSTGRES_URL, show_default=True, help="A server to make a database on.")
@click.option("--broker-url", default=RABBITMQ_URL, show_default=True, help="A server to make a virtual host on.")
@click.option("--keep", is_flag=True, help="Keep the home of a run in which nothing was found, too.")
@json_option
def chaos(
    messages: int,
    faults: int,
    seeds: range,
    stack: Stack,
    database_url: str,
    broker_url: str,
    keep: bool,
    as_json: bool,
) -> None:
    """Send messages of three plants while processes are killed, the broker is wiped and targets drop their answers, and
    count in the targets' own books what was lost, doubled or out of order.

    The seed repeats the messages, the faults and after how many messages each strikes; how far the processes had come
    by then it cannot repeat. With --json one object a seed, the last thing printed. Exit codes: 0 nothing was found, 1
    something was, and the seed and the kept home are told, 3 a server that the stack needs does not answer.
    """
    console = terminal(to_stderr=True)
    ground, clean = Ground(stack, database_url, broker_url), True
    try:
        for seed in seeds:
            outcome = run_chaos(Plan(seed, messages, faults, ground), ConsoleShow(console), keep)
            clean = clean and outcome.is_clean
            if as_json:
                print_json(outcome.as_json())
            else:
                print_outcome(terminal(), outcome)
            tell_faults(console, outcome)
    except (GroundMissing, GroundFailed, StartFailed) as error:
        raise Unreachable(str(error)) from None
    except KeyboardInterrupt:
        console.print("Ended before the count; everything that was made for the run is gone.")
        clean = False
    if not clean:
        click.get_current_context().exit(NO)


def print_outcome(console: Console, outcome: Outcome) -> None:
    figures = outcome.as_json()
    table = Table(title=f"Seed {outcome.plan.seed} on {outcome.plan.ground.stack}", title_justify="left")
    names = ["accepted", "posted", "doubled", "lost", "misordered", "dead", "stock_differences"]
    for name in names:
        table.add_column(name.replace("_", " "), justify="right")
    table.add_row(*(str(figures[name]) for name in names))
    console.print(table)
    told = ", ".join(f"{kind} {times}" for kind, times in figures["faults"].items())
    console.print(f"{sum(figures['faults'].values())} faults in {outcome.seconds:.0f} s: {told or 'none'}")


def tell_faults(console: Console, outcome: Outcome) -> None:
    """What was found, so that it can be looked for."""
    if outcome.missed:
        console.print(f"Armed, and nobody came by: {', '.join(outcome.missed)}")
    if not outcome.is_clean:
        console.print(outcome.account())
