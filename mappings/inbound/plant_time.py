"""Local times of plants, made into instants the same way each time.

A local time without an offset is in the plant's zone. When clocks go back, one hour happens twice: the earlier of the
two is taken (still summer time), so that an order of events within that hour is kept. When clocks go forward, an hour
does not happen: a time within it is read with the offset from before, which is the same moment on a clock that nobody
put forward.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
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
    try:
        if not text.isascii() or len(text) != len(example):
            raise ValueError
        return _instant(datetime.strptime(text, pattern).replace(tzinfo=_zone(plant)), plant)
    except (ValueError, OverflowError):
        raise _invalid(text, place, example) from None


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
