"""Where the bars of a small chart stand; the template draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 240.0, 56.0
GAP = 0.2
"""Of a bar's place, between it and the next one."""
LEAST_HEIGHT = 1.5
"""Of a value above zero, so that it can be seen."""


@dataclass(frozen=True)
class Bar:
    """In the units of a picture WIDTH wide and HEIGHT high. ``value`` is None where nothing was measured."""

    label: str
    value: float | None
    x: float
    y: float
    width: float
    height: float


def bars(values: Sequence[tuple[str, float | None]], most: float) -> list[Bar]:
    """One for each value, as high as its share of ``most``."""
    place = WIDTH / max(1, len(values))
    drawn = []
    for number, (label, value) in enumerate(values):
        share = min(1.0, value / most) if value and most > 0 else 0.0
        height = max(LEAST_HEIGHT, share * HEIGHT) if value else 0.0
        x, width = number * place + place * GAP / 2, place * (1 - GAP)
        drawn.append(Bar(label, value, round(x, 2), round(HEIGHT - height, 2), round(width, 2), round(height, 2)))
    return drawn
