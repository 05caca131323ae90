"""When a system's balances are due, by the clock of a plant, whatever that clock does in spring and autumn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from config.reconciling import Reconciling
from config.topology import Topology


def next_due(topology: Topology, block: Reconciling, now: datetime) -> datetime:
    """The first instant after ``now`` at which it is due. A time that the clock goes through twice is its first, and
    one that it leaves out is when it has leapt past it."""
    if block.every_minutes is not None:
        return now + timedelta(minutes=block.every_minutes)
    plant = topology.plants[block.plant or ""]
    zone = ZoneInfo(plant.timezone)
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=ahead) for ahead in range(-1, 3))
    times = (datetime.combine(day, at, zone).astimezone(UTC) for day in days for at in block.at)
    return min(at for at in times if at > now)
