"""How a sample writes its times: ISO 8601, or digits in a pattern of ``strptime``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from mappings.context import MappingError, PlantFacts
from mappings.inbound.plant_time import from_iso, from_pattern

MOMENT = datetime(2026, 1, 31, 14, 5, 9, tzinfo=UTC)
_DAYS = ("%d.%m.%Y", "%Y-%m-%d", "%Y/%m/%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d")
_CLOCKS = ("%H:%M:%S", "%H:%M", "%H%M%S", "%H%M")
_TOGETHER = (*(f"{day} {clock}" for day in _DAYS for clock in _CLOCKS), "%Y%m%d%H%M%S", "%Y%m%d%H%M")
_MIRRORED = {"%d/%m/%Y": "%m/%d/%Y", "%m/%d/%Y": "%d/%m/%Y"}
_PLANT = PlantFacts("SAMPLE", "Sample", "UTC")


@dataclass(frozen=True)
class Times:
    """``pattern`` is None for ISO 8601. ``doubt``: why it may be meant otherwise."""

    pattern: str | None
    doubt: str | None = None

    @property
    def example(self) -> str:
        return MOMENT.strftime(self.pattern or "%Y-%m-%dT%H:%M:%S")


def whole_times(texts: Sequence[str]) -> Times | None:
    """How all of these are written; None where no way fits them all."""
    if texts and all(_is_iso(text) for text in texts):
        return Times(None)
    return _first_fit(texts, _TOGETHER)


def days(texts: Sequence[str]) -> Times | None:
    return _first_fit(texts, _DAYS)


def clocks(texts: Sequence[str]) -> Times | None:
    return _first_fit(texts, _CLOCKS)


def _first_fit(texts: Sequence[str], patterns: Sequence[str]) -> Times | None:
    for pattern in patterns:
        if texts and all(_fits(text, pattern) for text in texts):
            return Times(pattern, _doubt(texts, pattern))
    return None


def _doubt(texts: Sequence[str], pattern: str) -> str | None:
    """Days and months that could change places."""
    for way, other in _MIRRORED.items():
        mirrored = pattern.replace(way, other)
        if mirrored != pattern and all(_fits(text, mirrored) for text in texts):
            return "which is the day and which the month does not show in the sample"
    return None


def _is_iso(text: str) -> bool:
    try:
        from_iso(text, _PLANT, "")
    except MappingError:
        return False
    return True


def _fits(text: str, pattern: str) -> bool:
    try:
        from_pattern(text, pattern, MOMENT.strftime(pattern), _PLANT, "")
    except MappingError:
        # A clock alone has no day, so no instant: only its form counts.
        return "%Y" not in pattern and len(text) == len(MOMENT.strftime(pattern)) and _parses(text, pattern)
    return True


def _parses(text: str, pattern: str) -> bool:
    try:
        datetime.strptime(text, pattern)  # noqa: DTZ007 - only its form is looked at
    except ValueError:
        return False
    return text.isascii()
