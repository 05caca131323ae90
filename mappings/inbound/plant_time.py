"""Local times of plants, made into instants the same way each time.

A local time without an offset is in the plant's zone. When clocks go back, one hour happens twice: the earlier of the
two is taken (still summer time), so that an order of events within that hour is kept. When clocks go forward, an hour
does not happen: a time within it is read with the offset from before, which is the same moment on a clock that nobody
put forward.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mappings.canonical.fields import instant_text
from mappings.context import CORRECT_IT, MappingError, PlantFacts

_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?", re.ASCII)


def from_iso(text: str, plant: PlantFacts, place: str) -> str:
    """An ISO 8601 date and time, with an offset or without."""
    if not _ISO.fullmatch(text):
        raise _invalid(text, place, "2026-01-31T14:05:00, with an offset or without")
    try:
        return _instant(datetime.fromisoformat(text), plant)
    except (ValueError, OverflowError):
        raise _invalid(text, place, "2026-01-31T14:05:00, with an offset or without") from None


def from_pattern(text: str, pattern: str, example: str, plant: PlantFacts, place: str) -> str:
    """A local time of digits in a fixed pattern of ``strptime``; ``example`` is shown to who sent another."""
    layout, parts = _layout(pattern)
    try:
        if not text.isascii() or layout.fullmatch(text) is None:
            raise ValueError
        year, month, day, hour, minute, second = (int(text[start:end] or 0) for start, end in parts)
        if year < 100:
            year += 2000 if year < 69 else 1900  # two digits, as POSIX reads them
        return _instant(datetime(year, month, day, hour, minute, second, tzinfo=_zone(plant)), plant)
    except (ValueError, OverflowError):
        raise _invalid(text, place, example) from None


@cache
def _layout(pattern: str) -> tuple[re.Pattern[str], Sequence[tuple[int, int]]]:
    """What such a time looks like, and where year, month, day, hour, minute and second stand in it (what has no
    place there is 0): a fifth of what ``strptime`` costs, which reads its pattern anew each time."""
    places: dict[str, tuple[int, int]] = {}
    position, looks = 0, ""
    for directive, literal in re.findall("%([YymdHMS])|(.)", pattern):
        width = {"": 1, "Y": 4}.get(directive, 2)
        if directive:
            places[directive.upper() if directive == "y" else directive] = (position, position + width)
        looks += f"[0-9]{{{width}}}" if directive else re.escape(literal)
        position += width
    return re.compile(looks), [places.get(directive, (0, 0)) for directive in "YmdHMS"]


def _instant(moment: datetime, plant: PlantFacts) -> str:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=_zone(plant), fold=0)
    moment = moment.astimezone(UTC)
    if moment.year < 1970:
        raise ValueError
    return instant_text(moment)


def _zone(plant: PlantFacts) -> ZoneInfo:
    try:
        return ZoneInfo(plant.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise MappingError(
            "zone_unknown",
            f"plant {plant.code} has the unknown time zone {plant.timezone!r}; mend the topology file, then requeue.",
        ) from None


def _invalid(text: str, place: str, example: str) -> MappingError:
    reason = f"{place} is {text[:40]!r}, which is no time like {example}. {CORRECT_IT}"
    return MappingError("time_invalid", reason, place)
