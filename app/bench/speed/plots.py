"""The pictures of latency and throughput over load and over history, as SVGs, made from kept results."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench.hang_plot import require_charts
from app.bench.speed.kept import Kept

_SCRIPT = re.compile(r"<script\b.*?(</script>|/>)", re.DOTALL)
COLOURS = ("#1f618d", "#c0392b", "#85c1e9", "#7d3c98", "#229954")
MS = 1_000.0
# One axis for both: on a logarithmic one each is read well, and a second one would have marks of its own.
MARKS = (1, 3, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000, 300_000)


def points(run: Kept) -> dict[str, list[float]]:
    """By rate, upwards: what was sent and posted a second, and p50 and p99 in milliseconds; the median of the runs."""
    details = [figure["runs"]["detail"] for figure in run.figures]
    scale = {"sent": 1.0, "posted": 1.0, "p50": MS, "p99": MS}
    return {name: [_median(each, name) * factor for each in details] for name, factor in scale.items()}


def _median(details: Sequence[Mapping[str, Any]], name: str) -> float:
    return float(statistics.median(one[name] for one in details))


def history_points(run: Kept) -> tuple[list[int], dict[str, list[float]]]:
    """The numbers of messages stored, upwards, and each figure by its name; seconds as milliseconds."""
    sizes: list[int] = []
    found: dict[str, list[float]] = {}
    for figure in run.figures:
        runs = [*figure["yardsticks"].values(), figure["runs"]]
        sizes = [int(one["detail"][0]["stored"]) for one in runs]
        scale, unit = (MS, "ms") if figure["unit"] == "s" else (1.0, figure["unit"])
        name = re.sub(",? with many messages stored", "", figure["name"])
        found[f"{name}, {unit}"] = [float(one["median"]) * scale for one in runs]
    return sizes, found


def write_load_plot(run: Kept, stack: str, path: Path) -> None:
    """Raises PlotUnavailable."""
    found = points(run)
    lines = {"p50, ms": found["p50"], "p99, ms": found["p99"], "posted a second": found["posted"]}
    labels = [f"{rate:g}" for rate in found["sent"]]
    _write(path, f"From acceptance to the ERP over load ({stack})", "messages sent a second", labels, lines)


def write_history_plot(run: Kept, stack: str, path: Path) -> None:
    """Raises PlotUnavailable."""
    sizes, lines = history_points(run)
    _write(path, f"Over history ({stack})", "messages stored", [f"{size:,}" for size in sizes], lines)


def _write(path: Path, title: str, x_title: str, labels: Sequence[str], lines: Mapping[str, Sequence[float]]) -> None:
    require_charts()
    import pygal
    from pygal.style import Style

    most = max(value for values in lines.values() for value in values)
    chart = pygal.Line(
        title=title,
        x_title=x_title,
        y_title="ms, or messages a second",
        y_labels=[mark for mark in MARKS if mark <= 2 * most],
        logarithmic=True,
        x_labels=list(labels),
        js=[],
        width=1000,
        height=420,
        legend_at_bottom=True,
        legend_at_bottom_columns=3 if len(lines) == 3 else 1,
        truncate_legend=-1,
        style=Style(background="white", plot_background="white", colors=COLOURS, font_family="sans-serif"),
    )
    for name, values in lines.items():
        chart.add(name, list(values))
    path.write_text(_SCRIPT.sub("", chart.render(is_unicode=True)), encoding="utf-8")
