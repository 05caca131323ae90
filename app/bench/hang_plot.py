"""The picture of ``lineside bench hang``: how long each plant's messages take, second by second, as an SVG."""

from __future__ import annotations

import re
from collections import defaultdict
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from app.bench.hang import HangOutcome
from app.bench.layout import HANG_PLANTS, HUNG_PLANT, OTHER_PLANT

# Thinner than this nothing is seen on a logarithmic scale, and nothing is posted faster.
LEAST_SECONDS = 0.001
# A picture in a page needs none, and pygal writes its settings into one.
_SCRIPT = re.compile(r"<script\b.*?(</script>|/>)", re.DOTALL)
COLOURS = ("#c0392b", "#1f618d", "#85c1e9", "#b2babb")


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
    chart = pygal.XY(
        title=f"From acceptance to the ERP while {HUNG_PLANT}'s ERP hangs ({plan.ground.stack}, {plan.rate}/s a plant)",
        x_title="accepted at (s)",
        y_title="took (s), logarithmic",
        logarithmic=True,
        js=[],
        width=1000,
        height=420,
        dots_size=1.5,
        legend_at_bottom=True,
        legend_at_bottom_columns=4,
        truncate_legend=-1,
        include_x_axis=False,
        show_minor_y_labels=True,
        style=Style(background="white", plot_background="white", colors=COLOURS, font_family="sans-serif"),
    )
    hung, healed = plan.phases()["during"]
    middle = {plant: _by_second(outcome, plant) for plant in HANG_PLANTS}
    chart.add(f"{HUNG_PLANT}, median", [(second, median(took)) for second, took in middle[HUNG_PLANT].items()])
    chart.add(f"{OTHER_PLANT}, median", [(second, median(took)) for second, took in middle[OTHER_PLANT].items()])
    chart.add(f"{OTHER_PLANT}, slowest", [(second, max(took)) for second, took in middle[OTHER_PLANT].items()])
    bar = [(hung, LEAST_SECONDS), (healed, LEAST_SECONDS)]
    chart.add(f"{HUNG_PLANT}'s ERP hangs", bar, stroke_style={"width": 12}, show_dots=False)
    path.write_text(_SCRIPT.sub("", chart.render(is_unicode=True)), encoding="utf-8")


def _by_second(outcome: HangOutcome, plant: str) -> dict[int, list[float]]:
    """Of the messages accepted in each second how long they took."""
    found: dict[int, list[float]] = defaultdict(list)
    for one in outcome.passages:
        if one.plant == plant:
            found[int(one.at)].append(max(LEAST_SECONDS, one.took))
    return dict(sorted(found.items()))
