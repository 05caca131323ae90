"""`lineside bench` alone runs every benchmark that has figures; `lineside bench NAME` runs one of those of speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from app.bench import mapping_inputs
from app.bench.ground import GroundMissing
from app.bench.installation import STACKS, Ground
from app.bench.mapping_speed import measure as measure_mapping
from app.bench.visibility import VisibilityPlan, run_visibility
from app.commands import bench_speed
from app.commands.exits import NO, UNREACHABLE, Unreachable, Unusable
from app.commands.opening import open_settings
from app.commands.printing import print_json, terminal
from app.commands.show import ConsoleShow

MANY, FEW = 1_000_000, 100_000
Figures = list[dict[str, Any]]


class BenchGroup(click.Group):
    """Names of benchmarks of speed stand for ``speed NAME``."""

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if arguments and arguments[0] in bench_speed.NAMES:
            return bench_speed.speed.name, bench_speed.speed, arguments
        return super().resolve_command(context, arguments)


def run_all(runs: int, size: float, database_url: str, broker_url: str, folder: Path | None, as_json: bool) -> None:
    """One after the other, on both stacks; what cannot be measured is told, and the rest is measured all the same."""
    console = terminal(to_stderr=True)
    show = ConsoleShow(console)
    figures, failed = [], []
    for name, benchmark in _benchmarks(runs, size, database_url, broker_url, folder, show):
        console.print(f"{name}:", style="bold")
        try:
            figures += benchmark()
        except (Unreachable, Unusable) as error:
            failed.append(f"{name} was not measured: {error.message}")
            console.print(failed[-1], markup=False)
    if as_json:
        print_json(figures)
    else:
        _print(figures, failed)
    if failed:
        click.get_current_context().exit(UNREACHABLE)
    if any(figure["met"] is False for figure in figures):
        click.get_current_context().exit(NO)


def _benchmarks(
    runs: int, size: float, database_url: str, broker_url: str, folder: Path | None, show: ConsoleShow
) -> list[tuple[str, Callable[[], Figures]]]:
    found: list[tuple[str, Callable[[], Figures]]] = [("mappings", _mappings)]
    for stack in STACKS:
        ground = Ground(stack, database_url, broker_url, open_settings().home / "cache")
        found.append((f"visibility on {stack}", lambda ground=ground: _visibility(ground, size, show)))  # type: ignore[misc]
        found += [
            (
                f"{name} on {stack}",
                lambda name=name, ground=ground: bench_speed.measure(name, ground, runs, size, show, folder),  # type: ignore[misc]
            )
            for name in bench_speed.NAMES
        ]
    return found


def _mappings() -> Figures:
    try:
        return [measure_mapping(one).wire() for one in mapping_inputs.samples()]
    except (ValueError, ModuleNotFoundError) as error:
        raise Unusable(str(error)) from None


def _visibility(ground: Ground, size: float, show: ConsoleShow) -> Figures:
    plan = VisibilityPlan(ground, max(1_000, int(FEW * size)), max(2_000, int(MANY * size)))
    try:
        return [figure.wire(ground.stack) for figure in run_visibility(plan, show)]
    except GroundMissing as error:
        raise Unreachable(str(error)) from None


def _print(figures: Sequence[dict[str, Any]], failed: Sequence[str]) -> None:
    shown = Table("what", "stack", "figure", "x", "beside", "goal", "met", title_justify="left")
    for told in figures:
        met = {None: "", True: "yes", False: "no"}[told["met"]]
        ratio = "" if told["ratio"] is None else f"{told['ratio']:g}"
        figure = f"{told['figure']:g} {told['unit']}"
        beside = str(told["yardstick"] or "")
        shown.add_row(told["name"], told["stack"] or "", figure, ratio, beside, told["goal"] or "", met)
    console = terminal()
    console.print(shown)
    for text in failed:
        console.print(text, markup=False)
