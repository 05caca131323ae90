"""The page of performance is made from the kept results, and tells what was not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.bench.results import ResultUnreadable
from app.bench.speed import page
from app.bench.speed.figures import Figure, Runs, at_least
from app.bench.speed.goals import PLANNED
from app.bench.speed.kept import Kept, keep, read_kept, result_path

ROOT = Path(__file__).parents[2]
STACK = "sqlite+valkey"
MACHINE: dict[str, Any] = {
    "processor": "a processor",
    "cores": 2,
    "system": "Linux",
    "python": "3.11",
    "sqlite": "3.40",
    "versions": {"celery": "5.7.0"},
}


def kept(benchmark: str, *names: str, figure: float = 6_000.0) -> Kept:
    yardsticks = {"something bare": Runs([3_000.0])}
    goals = [at_least(figure, 5_000, "at least 5,000/s")]
    figures = [Figure(name, STACK, "messages/s", Runs([figure]), yardsticks, goals).wire() for name in names]
    return Kept(benchmark, f"lineside bench {benchmark}", MACHINE, figures)


def test_the_page_of_the_docs_is_made_from_the_kept_results() -> None:
    assert (ROOT / "docs" / "performance.md").read_text("utf-8") == page.made(ROOT / "bench" / "results"), (
        "docs/performance.md is not what bench/results/ says; run: lineside bench page"
    )


def test_each_figure_stands_with_its_yardstick_goal_machine_and_command(tmp_path: Path) -> None:
    keep(tmp_path, STACK, kept("accept", "accept, batches of 100"))

    made = page.made(tmp_path)

    assert (
        "| accept, batches of 100 | 6,000 messages/s | 6,000 | something bare: 3,000 | 2 | at least 5,000/s | yes |"
        in made
    )
    assert "    lineside bench accept\n\nOn a processor, 2 cores, Linux; Python 3.11" in made


def test_what_was_not_measured_is_told_so(tmp_path: Path) -> None:
    keep(tmp_path, STACK, kept("accept", "accept, batches of 100"))

    made = page.made(tmp_path)

    rows = [line for line in made.splitlines() if line.startswith("| ") and page.NOT_MEASURED in line]
    assert len(rows) == 2 * sum(map(len, PLANNED.values())) - 1


def test_the_plot_of_the_load_stands_beside_the_page(tmp_path: Path) -> None:
    told = [{"sent": rate, "posted": rate, "p50": 0.01, "p99": 0.2} for rate in (10.0, 25.0)]
    figures = [Figure("posted", STACK, "messages/s", Runs([each["posted"]], [each])).wire() for each in told]
    keep(tmp_path, STACK, Kept("load", "lineside bench speed load", MACHINE, figures))

    page.write_plots(tmp_path, tmp_path)

    plot = (tmp_path / page.plot_name(STACK, "load")).read_text("utf-8")
    assert "p99, ms" in plot
    assert "<script" not in plot
    made = page.made(tmp_path)
    assert page.plot_name(STACK, "load") in made
    assert "| 25 (p50 10 ms, p99 200 ms) |" in made


def test_the_plot_over_history_has_every_number_of_stored_messages(tmp_path: Path) -> None:
    sizes = {"with few": 1_000, "with a tenth of many": 10_000}
    beside = {name: Runs([0.02], [{"stored": stored}]) for name, stored in sizes.items()}
    name = "accept to posted at 10 messages/s with many messages stored, p50"
    figure = Figure(name, STACK, "s", Runs([0.03], [{"stored": 100_000}]), beside).wire()
    keep(tmp_path, STACK, Kept("history", "lineside bench history", MACHINE, [figure]))

    page.write_plots(tmp_path, tmp_path)

    plot = (tmp_path / page.plot_name(STACK, "history")).read_text("utf-8")
    assert all(text in plot for text in ("1,000", "10,000", "100,000", "accept to posted at 10 messages/s, p50, ms"))
    assert page.plot_name(STACK, "history") in page.made(tmp_path)


def test_a_benchmark_that_is_run_again_replaces_its_own_figures_alone(tmp_path: Path) -> None:
    keep(tmp_path, STACK, kept("accept", "accept, one a request", "accept, batches of 100"))
    keep(tmp_path, STACK, kept("end-to-end", "end to end, one call a message"))
    keep(tmp_path, STACK, kept("accept", "accept, one a request", figure=9.0))

    runs = read_kept(result_path(tmp_path, STACK))

    assert [(run.benchmark, [one["figure"] for one in run.figures]) for run in runs] == [
        ("accept", [9.0]),
        ("end-to-end", [6_000.0]),
    ]


@pytest.mark.parametrize("text", ["{", "[]", '[{"benchmark": "accept"}]', '{"machine": {}, "figures": []}'])
def test_a_file_of_something_else_is_not_overwritten(tmp_path: Path, text: str) -> None:
    path = result_path(tmp_path, STACK)
    path.write_text(text)

    with pytest.raises(ResultUnreadable, match="is nothing that `lineside bench speed --keep` wrote"):
        keep(tmp_path, STACK, kept("accept", "accept, batches of 100"))

    assert path.read_text() == text
