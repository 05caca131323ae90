"""How OData version 2 writes values in JSON (odata.org, "JSON Format", section 4)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mappings.outbound.lines import with_values


def day(moment: datetime) -> str:
    """The day of a local moment: a DateTime without a time, as milliseconds since 1970 of its midnight."""
    midnight = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return f"/Date({int(midnight.timestamp()) * 1000})/"


def entity(**values: Any) -> dict[str, Any]:
    """An entity's properties that have a value; false is one."""
    return with_values(**values)
