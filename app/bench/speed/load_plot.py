"""The picture of latency and throughput over load, as an SVG, made from kept results."""

from __future__ import annotations

import re
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.bench.hang_plot import require_charts
from app.bench.speed.kept import Kept

_SCRIPT = re.compile(r"<script\b.*?(</script>|/>)", re.DOTALL)
COLOURS = ("#1f618d", "#c0392b", "#85c1e9")
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


def write_load_plot(run: Kept, stack: str, path: Path) -> None:
    """Raises PlotUnavailable."""
    require_charts()
    import pygal
    from pygal.style import Style

    found = points(run)
    chart = pygal.Line(
        title=f"From acceptance to the ERP over load ({stack})",
        x_title="messages sent a second",
        y_title="ms, or messages a second",
        y_labels=[mark for mark in MARKS if mark <= 2 * max(*found["p99"], *found["posted"])],
        logarithmic=True,
        x_labels=[f"{rate:g}" for rate in found["sent"]],
        js=[],
        width=1000,
        height=420,
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        truncate_legend=-1,
        style=Style(background="white", plot_background="white", colors=COLOURS, font_family="sans-serif"),
    )
    chart.add("p50, ms", found["p50"])
    chart.add("p99, ms", found["p99"])
    chart.add("posted a second", found["posted"])
    path.write_text(_SCRIPT.sub("", chart.render(is_unicode=True)), encoding="utf-8")
