"""The page of performance: made from kept results, and from nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench.installation import STACKS
from app.bench.speed.goals import PLANNED, Planned
from app.bench.speed.kept import Kept, read_kept, result_path
from app.bench.speed.plots import write_history_plot, write_load_plot

HEAD = ("what", "figure", "of the runs", "beside", "x", "goal", "met")
MET = {None: "", True: "yes", False: "**no**"}
NOT_MEASURED = "not measured"
PLOTS = {"load": write_load_plot, "history": write_history_plot}

_TOP = """# Performance

What one machine does, beside what a user would write first. Made by

    lineside bench page

from [the kept results](../bench/results/), with every run in them; nothing on this page is written by hand. Each was
measured by the command above its table (`--keep bench/results` keeps what it finds), where nothing else runs. A figure
is the median of its runs, *x* is the figure divided by the one beside it.
[How it is measured, and what each is](operations.md#lineside-bench);
[what was found on the way](decisions/0032-fast-on-one-machine.md).
[What formats cost](formats.md) and [what the picture costs](decisions/0022-the-movement-ledger.md) have pages of
their own.
"""


def made(folder: Path) -> str:
    """The whole page. Raises ResultUnreadable."""
    return "\n".join(
        [_TOP, *(part for stack in STACKS for part in _stack(stack, read_kept(result_path(folder, stack))))]
    )


def _stack(stack: str, kept: Sequence[Kept]) -> Iterator[str]:
    runs = {one.benchmark: one for one in kept}
    told = [figure["met"] for one in kept for figure in one.figures if figure["met"] is not None]
    wanted = sum(planned.goal is not None for planneds in PLANNED.values() for planned in planneds)
    yield f"## {stack}\n"
    yield f"{wanted} goals: {sum(told)} met, {len(told) - sum(told)} not met, {wanted - len(told)} not measured.\n"
    for benchmark, planned in PLANNED.items():
        yield f"### {benchmark}, {stack}\n"
        run = runs.get(benchmark)
        yield _how(run) if run else f"Not measured. `lineside bench {benchmark} --stack {stack}` measures it.\n"
        yield _table([HEAD, ("---",) + ("---:",) * 2 + ("---",) + ("---:",) + ("---",) * 2, *_rows(planned, run)])
        if run and benchmark in PLOTS:
            yield f"![Latency and throughput over {benchmark}, {stack}]({plot_name(stack, benchmark)})\n"


def plot_name(stack: str, benchmark: str) -> str:
    """Beside the page."""
    return f"performance-over-{benchmark}-{stack.replace('+', '-')}.svg"


def write_plots(folder: Path, beside: Path) -> None:
    """For each stack and benchmark that was measured and has one. Raises PlotUnavailable or ResultUnreadable."""
    for stack in STACKS:
        for run in read_kept(result_path(folder, stack)):
            if run.benchmark in PLOTS:
                PLOTS[run.benchmark](run, stack, beside / plot_name(stack, run.benchmark))


def _how(run: Kept) -> str:
    machine = run.machine
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    on = f"{machine['processor']}, {machine['cores']} cores, {machine['system']}"
    return f"    {run.command}\n\nOn {on}; Python {machine['python']}, SQLite {machine['sqlite']}, {versions}.\n"


def _rows(planned: Sequence[Planned], run: Kept | None) -> Iterator[tuple[str, ...]]:
    """Every figure that was measured, and those that should have been."""
    figures = {figure["name"]: figure for figure in run.figures} if run else {}
    for one in planned:
        if one.name not in figures:
            yield (one.name, NOT_MEASURED, "", "", "", one.goal or "", "")
    yield from (_row(figure) for figure in figures.values())


def _row(figure: Mapping[str, Any]) -> tuple[str, ...]:
    beside = figure["yardsticks"]
    return (
        figure["name"],
        f"{_number(figure['figure'])} {figure['unit']}",
        "<br>".join(_each_run(figure["runs"])),
        "<br>".join(f"{name}: {_number(runs['median'])}" for name, runs in beside.items()),
        "<br>".join(f"{runs['ratio']:.3g}" for runs in beside.values()),
        figure["goal"] or "",
        MET[figure["met"]],
    )


def _each_run(runs: Mapping[str, Any]) -> Iterator[str]:
    """Each run's figure, and how long its requests or messages took where that was measured too."""
    details = runs.get("detail") or [{}] * len(runs["runs"])
    for figure, detail in zip(runs["runs"], details, strict=False):
        took = f" (p50 {detail['p50'] * 1000:,.0f} ms, p99 {detail['p99'] * 1000:,.0f} ms)" if "p99" in detail else ""
        yield f"{_number(figure)}{took}"


def _number(figure: float) -> str:
    """Four digits, as they were kept: 7,203 or 0.0124."""
    return f"{figure:,.0f}" if abs(figure) >= 1_000 else f"{figure:.4g}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"
