"""When a plant works, by its own clock, whatever that clock does in spring and autumn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

from config.completeness import DAYS, Shift
from config.topology import Plant

# Shifts follow each other without a break for no longer than is looked back here; a silence is at most a week's.
LOOK_BACK_DAYS = 9


def working_since(plant: Plant, now: datetime) -> datetime | None:
    """Since when the plant works without a break; None while it does not. Round the clock, it is as long as anybody
    looks back."""
    if not plant.shifts:
        return now - timedelta(days=LOOK_BACK_DAYS)
    begins_at: datetime | None = None
    for begin, end in sorted(_times(plant.shifts, now, ZoneInfo(plant.timezone)), reverse=True):
        if begin <= (begins_at or now) <= end and (begins_at is not None or now < end):
            begins_at = begin
    return begins_at


def _times(shifts: Sequence[Shift], now: datetime, zone: tzinfo) -> Iterator[tuple[datetime, datetime]]:
    """Begin and end in UTC. An hour that the clock goes through twice is worked twice, one that it leaves out not."""
    today = now.astimezone(zone).date()
    for back in range(-1, LOOK_BACK_DAYS + 1):
        day = today - timedelta(days=back)
        for shift in shifts:
            if DAYS[day.weekday()] in shift.days:
                ends_on = day if shift.ends > shift.begins else day + timedelta(days=1)
                begin = datetime.combine(day, shift.begins, zone)
                end = datetime.combine(ends_on, shift.ends, zone).replace(fold=1)
                yield begin.astimezone(UTC), end.astimezone(UTC)
