"""The picture of ``lineside bench hang``: how long each plant's messages take, second by second, as an SVG."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from app.bench.hang import HangOutcome
from app.bench.layout import HANG_PLANTS, HUNG_PLANT, OTHER_PLANT

# What the scale begins with; nothing is posted faster.
LEAST_SECONDS = 0.01
MARKS = {0.01: "10 ms", 0.03: "30 ms", 0.1: "100 ms", 0.3: "300 ms", 1: "1 s", 3: "3 s", 10: "10 s", 30: "30 s"}
MARKS |= {100: "100 s", 300: "300 s"}
# A picture in a page needs none, and pygal writes its settings into one.
_SCRIPT = re.compile(r"<script\b.*?(</script>|/>)", re.DOTALL)
COLOURS = ("#dfe3e4", "#c0392b", "#1f618d", "#85c1e9")


class PlotUnavailable(Exception):
    """The charts library is missing; the text says what to install."""


def require_charts() -> None:
    if find_spec("pygal") is None:
        raise PlotUnavailable("A plot needs pygal; run: pip install 'lineside[bench]'.")


def write_plot(outcome: HangOutcome, path: Path) -> None:
    """Both plants' median and the other plant's slowest message of each second, and a bar while the ERP hangs."""
    require_charts()
    import pygal
    from pygal.style import Style

    plan = outcome.plan
    slowest = max([1.0, *(one.took for one in outcome.passages)])
    chart = pygal.XY(
        title=f"From acceptance to the ERP while {HUNG_PLANT}'s ERP hangs ({plan.ground.stack}, {plan.rate}/s a plant)",
        x_title="accepted at (s)",
        y_title="took",
        range=(_height(LEAST_SECONDS), _height(slowest)),
        zero=_height(LEAST_SECONDS),
        y_labels=[{"value": _height(at), "label": label} for at, label in MARKS.items() if at <= slowest * 2],
        xrange=(0, plan.seconds),
        x_labels=list(range(0, plan.seconds + 1, 10)),
        js=[],
        width=1000,
        height=420,
        dots_size=1.5,
        legend_at_bottom=True,
        legend_at_bottom_columns=4,
        truncate_legend=-1,
        style=Style(background="white", plot_background="white", colors=COLOURS, font_family="sans-serif"),
    )
    hung, healed = plan.phases()["during"]
    top, bottom = _height(slowest), _height(LEAST_SECONDS)
    band = [(hung, bottom), (hung, top), (healed, top), (healed, bottom)]
    chart.add(f"{HUNG_PLANT}'s ERP hangs", band, fill=True, show_dots=False)
    middle = {plant: _by_second(outcome, plant) for plant in HANG_PLANTS}
    chart.add(f"{HUNG_PLANT}, median", [(second, _height(median(took))) for second, took in middle[HUNG_PLANT].items()])
    chart.add(
        f"{OTHER_PLANT}, median", [(second, _height(median(took))) for second, took in middle[OTHER_PLANT].items()]
    )
    chart.add(f"{OTHER_PLANT}, slowest", [(second, _height(max(took))) for second, took in middle[OTHER_PLANT].items()])
    path.write_text(_SCRIPT.sub("", chart.render(is_unicode=True)), encoding="utf-8")


def _height(seconds: float) -> float:
    """Logarithmic, of this axis alone: pygal's own setting would bend the time axis too."""
    return math.log10(max(LEAST_SECONDS, seconds))


def _by_second(outcome: HangOutcome, plant: str) -> dict[int, list[float]]:
    """Of the messages accepted in each second how long they took."""
    found: dict[int, list[float]] = defaultdict(list)
    for one in outcome.passages:
        if one.plant == plant:
            found[int(one.at)].append(one.took)
    return dict(sorted(found.items()))
