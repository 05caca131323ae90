"""`lineside bench`: runs that prove the promises under fire."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import click
import structlog
from click.core import ParameterSource
from rich.console import Console
from rich.progress import track
from rich.table import Table

from app.bench import format_table, mapping_inputs
from app.bench.format_samples import read, sent_in
from app.bench.ground import GroundFailed, GroundMissing
from app.bench.hang import HangOutcome, HangPlan, run_hang
from app.bench.hang_plot import PlotUnavailable, require_charts, write_plot
from app.bench.installation import POSTGRES_URL, RABBITMQ_URL, STACKS, Ground, Stack
from app.bench.layout import HANG_PLANTS, HUNG_PLANT
from app.bench.mapping_speed import measure
from app.bench.outcome import Outcome, Plan
from app.bench.results import COLUMNS, ResultUnreadable, markdown_table, read_runs
from app.bench.run import run_chaos
from app.commands import bench_speed
from app.commands.bench_all import BenchGroup, run_all
from app.commands.bench_visibility import visibility
from app.commands.exits import NO, Unreachable, Unusable
from app.commands.opening import open_settings
from app.commands.printing import json_option, print_json, terminal
from app.commands.show import ConsoleShow
from app.demo.erp_processes import ErpUnavailable
from app.stack.running import StartFailed

ERP_SHARE = 0.06


class SeedRange(click.ParamType[range]):
    """``7``, or ``1..20``."""

    name = "N or N..M"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> range:
        found = re.fullmatch(r"(\d+)(?:\.\.(\d+))?", value)
        first, last = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if last < first:
            self.fail(f"{value!r} is no number and no range such as 1..20", param, ctx)
        return range(first, last + 1)


@click.group(cls=BenchGroup, invoke_without_command=True)
@bench_speed.measuring_options
@click.pass_context
def bench(
    context: click.Context,
    runs: int,
    size: float,
    database_url: str,
    broker_url: str,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Measure everything that has figures, on both stacks, or what is named; or prove the promises under fire.

    Each run has an installation of its own that is gone afterwards. Without a name all of `mappings`, `visibility` and
    `speed` is measured, which takes hours; with a small `--size` it shows no more than that all of it works.
    With --json one list of {name, stack, figure, unit, yardstick, ratio, goal, met}. Options stand after the name.
    Exit codes: 0 every goal is met, 1 one is not, 3 something could not be measured.
    """
    # What the product's steps log when the bench itself runs them is nobody's answer.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    if context.invoked_subcommand is None:
        run_all(runs, size, database_url, broker_url, folder, as_json)
    elif given := [
        name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
    ]:
        option = next(one.opts[0] for one in context.command.params if one.name == given[0])
        raise click.UsageError(f"{option} stands after the name: lineside bench {context.invoked_subcommand} {option}")


bench.add_command(bench_speed.speed)
bench.add_command(bench_speed.page)
bench.add_command(visibility)


@bench.command()
@click.option("--messages", default=2000, show_default=True, type=click.IntRange(60, 100_000))
@click.option("--faults", default=60, show_default=True, type=click.IntRange(0, 1_000))
@click.option(
    "--erp-messages",
    type=click.IntRange(0, 10_000),
    show_default="6 % of --messages",
    help="How many of the messages are posted to Tryton, which takes 3 to 8 a second; 0 leaves it out.",
)
@click.option("--seed", "--seeds", "seeds", default="1", show_default=True, type=SeedRange(), help="One, or 1..20.")
@click.option("--stack", default=STACKS[0], show_default=True, type=click.Choice(STACKS))
@click.option("--database-url", default=POSTGRES_URL, show_default=True, help="A server to make a database on.")
@click.option("--broker-url", default=RABBITMQ_URL, show_default=True, help="A server to make a virtual host on.")
@click.option("--keep", is_flag=True, help="Keep the home of a run in which nothing was found, too.")
@json_option
def chaos(
    messages: int,
    faults: int,
    erp_messages: int | None,
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
    ground, clean = Ground(stack, database_url, broker_url, open_settings().home / "cache"), True
    in_tryton = round(messages * ERP_SHARE) if erp_messages is None else erp_messages
    try:
        for seed in seeds:
            outcome = run_chaos(Plan(seed, messages, faults, ground, in_tryton=in_tryton), ConsoleShow(console), keep)
            clean = clean and outcome.is_clean
            if as_json:
                print_json(outcome.as_json())
            else:
                print_outcome(terminal(), outcome)
            tell_faults(console, outcome)
    except (GroundMissing, GroundFailed, StartFailed) as error:
        raise Unreachable(str(error)) from None
    except ErpUnavailable as error:
        raise Unusable(f"{error} Or leave Tryton out: --erp-messages 0.") from None
    except KeyboardInterrupt:
        console.print("Ended before the count; everything that was made for the run is gone.")
        clean = False
    if not clean:
        click.get_current_context().exit(NO)


@bench.command()
@click.option("--rate", default=5, show_default=True, type=click.IntRange(1, 200), help="Messages a second, a plant.")
@click.option("--before", default=20, show_default=True, type=click.IntRange(5, 600), help="Seconds before it hangs.")
@click.option("--hang", "hung", default=60, show_default=True, type=click.IntRange(5, 600), help="Seconds it hangs.")
@click.option("--after", default=40, show_default=True, type=click.IntRange(5, 600), help="Seconds after it hung.")
@click.option("--limit", default=2.0, show_default=True, type=click.FloatRange(0.01, 60), help="For the other's p99.")
@click.option("--stack", default=STACKS[0], show_default=True, type=click.Choice(STACKS))
@click.option("--database-url", default=POSTGRES_URL, show_default=True, help="A server to make a database on.")
@click.option("--broker-url", default=RABBITMQ_URL, show_default=True, help="A server to make a virtual host on.")
@click.option("--plot", type=click.Path(dir_okay=False, writable=True, path_type=Path), help="Write an SVG there.")
@json_option
def hang(
    rate: int,
    before: int,
    hung: int,
    after: int,
    limit: float,
    stack: Stack,
    database_url: str,
    broker_url: str,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Let one plant's ERP stop answering, and measure how long another plant's messages take to theirs meanwhile.

    Exit codes: 0 all was posted once and 99 % of the other plant's messages took no longer than --limit seconds while
    the ERP hung, 1 otherwise, 2 the charts library is missing, 3 a server that the stack needs does not answer.
    """
    plan = HangPlan(Ground(stack, database_url, broker_url), rate, before, hung, after)
    console = terminal(to_stderr=True)
    try:
        if plot is not None:
            require_charts()
        outcome = run_hang(plan, ConsoleShow(console), limit)
        if plot is not None:
            write_plot(outcome, plot)
    except PlotUnavailable as error:
        raise Unusable(str(error)) from None
    except (GroundMissing, GroundFailed, StartFailed) as error:
        raise Unreachable(str(error)) from None
    if as_json:
        print_json(outcome.as_json())
    else:
        print_hang(terminal(), outcome)
    if not outcome.is_clean:
        click.get_current_context().exit(NO)


@bench.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
def table(files: tuple[Path, ...]) -> None:
    """Print the README's table of the runs whose --json lines stand in these files."""
    try:
        click.echo(markdown_table(read_runs(files)))
    except ResultUnreadable as error:
        raise Unusable(str(error)) from None


@bench.command()
@click.option("--samples", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Real files to read.")
@click.option("--page", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Write the table into it.")
@json_option
def mappings(samples: Path | None, page: Path | None, as_json: bool) -> None:
    """Measure how many messages of each format one core reads, maps and checks, beside the bare parser, by turns.

    With --samples, real files are read, too, and counted; with --page, the table of formats in it is made anew. With
    --json one list of {name, figure, unit, yardstick, ratio, goal, met}. Exit codes: 0 measured, 2 the page has no
    place for the table, or a parser that is measured beside (pydifact, pyx12) is not installed.
    """
    console = terminal(to_stderr=True)
    try:
        speeds = [measure(one) for one in track(mapping_inputs.samples(), "Measuring ...", console=console)]
        reads = [read(sent) for sent in sent_in(samples)] if samples is not None else []
        if page is not None:
            made = format_table.made(reads, speeds)
            page.write_text(format_table.replaced(page.read_text("utf-8"), made), encoding="utf-8")
    except (ValueError, ModuleNotFoundError) as error:
        raise Unusable(str(error)) from None
    if as_json:
        print_json([speed.wire() for speed in speeds])
        return
    shown = Table(
        "format",
        "a second",
        "bytes each",
        "bare parser",
        "x",
        "beside",
        "goal",
        "met",
        title="Messages or rows, one core",
    )
    for speed in speeds:
        met = {None: "", True: "yes", False: "no"}[speed.met]
        figures = (f"{speed.figure:,.0f}", f"{speed.bytes_each:,}", f"{speed.yardstick} {speed.bare:,.0f}")
        beside = "" if speed.beside_ratio is None else f"{speed.beside_ratio:.1f} ({speed.beside_name})"
        shown.add_row(speed.name, *figures, f"{speed.ratio:.1f}", beside, speed.goal, met)
    terminal().print(shown)
    for one in reads:
        click.echo(f"{one.sent.format:<10} {one.sent.path.name:<60} {one.refused or f'{one.events} events'}")


def print_hang(console: Console, outcome: HangOutcome) -> None:
    title = f"From acceptance to the ERP, in seconds, on {outcome.plan.ground.stack}"
    shown = Table("plant", f"{HUNG_PLANT}'s ERP", "messages", "p50", "p95", "p99", "slowest", title=title)
    shown.title_justify = "left"
    for plant in HANG_PLANTS:
        for phase, figures in outcome.figures(plant).items():
            words = {"before": "answers", "during": "hangs", "after": "answers again"}[phase]
            shown.add_row(plant, words, *(f"{number:g}" for number in figures.values()))
    console.print(shown)
    console.print(f"{outcome.accepted} accepted, {len(outcome.passages)} posted, {outcome.documents} documents.")


def print_outcome(console: Console, outcome: Outcome) -> None:
    figures = outcome.as_json()
    shown = Table(title=f"Seed {outcome.plan.seed} on {outcome.plan.ground.stack}", title_justify="left")
    names = [*COLUMNS, "stock_differences"]
    for name in names:
        shown.add_column(name.replace("_", " "), justify="right")
    shown.add_row(*(str(figures[name]) for name in names))
    console.print(shown)
    told = ", ".join(f"{kind} {times}" for kind, times in figures["faults"].items())
    console.print(f"{sum(figures['faults'].values())} faults in {outcome.seconds:.0f} s: {told or 'none'}")


def tell_faults(console: Console, outcome: Outcome) -> None:
    """What was found, so that it can be looked for."""
    if outcome.missed:
        console.print(f"Armed, and nobody came by: {', '.join(outcome.missed)}")
    if not outcome.is_clean:
        console.print(outcome.account())
