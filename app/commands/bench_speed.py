"""`lineside bench speed` measures, each figure beside what a user would write first; `lineside bench page` tells it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from app.bench.ground import GroundFailed, GroundMissing
from app.bench.hang_plot import PlotUnavailable
from app.bench.installation import POSTGRES_URL, RABBITMQ_URL, STACKS, Ground, Stack
from app.bench.results import ResultUnreadable
from app.bench.speed.goals import PLANNED
from app.bench.speed.kept import Kept, keep, read_kept, result_path
from app.bench.speed.page import made, write_plots
from app.commands.exits import NO, Unreachable, Unusable
from app.commands.opening import open_settings
from app.commands.printing import F, json_option, print_json, terminal
from app.commands.show import ConsoleShow
from app.demo.run import Show
from app.stack.running import StartFailed

NAMES = tuple(PLANNED)
RESULTS, PAGE = Path("bench/results"), Path("docs/performance.md")


def measuring_options(function: F) -> F:
    """Of everything that is measured, on whichever stack."""
    found: F = json_option(function)
    for option in (
        click.option(
            "--keep",
            "folder",
            type=click.Path(exists=True, file_okay=False, writable=True, path_type=Path),
            help=f"Keep the figures of speed there, for the page ({RESULTS}).",
        ),
        click.option(
            "--broker-url", default=RABBITMQ_URL, show_default=True, help="A server to make a virtual host on."
        ),
        click.option("--database-url", default=POSTGRES_URL, show_default=True, help="A server to make a database on."),
        click.option(
            "--size", default=1.0, show_default=True, type=click.FloatRange(0.02, 20), help="So many times as long."
        ),
        click.option(
            "--runs", default=3, show_default=True, type=click.IntRange(1, 25), help="Each figure is their median."
        ),
    ):
        found = option(found)
    return found


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--stack", default=STACKS[0], show_default=True, type=click.Choice(STACKS))
@measuring_options
def speed(
    names: tuple[str, ...],
    runs: int,
    size: float,
    stack: Stack,
    database_url: str,
    broker_url: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Measure how fast messages are taken and posted, by turns with bare Flask, Celery, dramatiq and DBOS.

    Measured is what is named, or all; `lineside bench NAME` is the same. With --json one list of {name, stack, figure,
    unit, yardstick, ratio, goal, met} with the runs of each; the machine is told in what --keep keeps. Exit codes: 0
    every goal is met, 1 one is not, 2 a package of the extra `bench` is missing or the folder of --keep holds something
    else, 3 a server that the stack needs does not answer.
    """
    ground = Ground(stack, database_url, broker_url, open_settings().home / "cache")
    show = ConsoleShow(terminal(to_stderr=True))
    figures = [figure for name in names or NAMES for figure in measure(name, ground, runs, size, show, folder)]
    if as_json:
        print_json(figures)
    else:
        print_figures(terminal(), figures)
    if any(figure["met"] is False for figure in figures):
        click.get_current_context().exit(NO)


def measure(name: str, ground: Ground, runs: int, size: float, show: Show, folder: Path | None) -> list[dict[str, Any]]:
    """The figures of one benchmark as ``--json`` has them, kept where a folder is named. Raises Unusable or
    Unreachable."""
    try:
        from app.bench.speed.programs import SpeedFailed
        from app.bench.speed.runs import machine, run_benchmark
    except ModuleNotFoundError as error:
        raise Unusable(f"{error.name} is not installed; it is in the extra `bench`.") from None
    try:
        if folder is not None:
            read_kept(result_path(folder, ground.stack))  # before minutes of measuring
        figures = [figure.wire() for figure in run_benchmark(name, ground, runs, size, show)]
        if folder is not None:
            again = f"lineside bench {name} --runs {runs} --size {size:g} --stack {ground.stack} --keep {RESULTS}"
            keep(folder, ground.stack, Kept(name, again, machine(), figures))
    except (GroundMissing, GroundFailed, StartFailed, SpeedFailed) as error:
        raise Unreachable(str(error)) from None
    except ResultUnreadable as error:
        raise Unusable(str(error)) from None
    return figures


@click.command()
@click.option("--results", default=RESULTS, show_default=True, type=click.Path(file_okay=False, path_type=Path))
@click.option("--page", default=PAGE, show_default=True, type=click.Path(dir_okay=False, writable=True, path_type=Path))
def page(results: Path, page: Path) -> None:
    """Write the page of performance, and its plots beside it, from the results that `bench speed --keep` kept.

    Exit codes: 0 written, 2 there are no results, they are something else, or the charts library is missing.
    """
    if not results.is_dir():
        raise Unusable(f"{results} is no folder. Run this in a checkout, or name the folder with --results.")
    try:
        page.write_text(made(results), encoding="utf-8")
        write_plots(results, page.parent)
    except (ResultUnreadable, PlotUnavailable) as error:
        raise Unusable(str(error)) from None


def print_figures(console: Console, figures: Sequence[dict[str, Any]]) -> None:
    shown = Table("what", "figure", "beside", "x", "goal", "met", title_justify="left")
    for told in figures:
        met = {None: "", True: "yes", False: "no"}[told["met"]]
        beside = "\n".join(f"{name} {runs['median']:g}" for name, runs in told["yardsticks"].items())
        ratios = "\n".join(f"{runs['ratio']:g}" for runs in told["yardsticks"].values())
        figure = f"{told['figure']:g} {told['unit']}"
        shown.add_row(str(told["name"]), figure, beside, ratios, str(told["goal"] or ""), met)
    console.print(shown)
