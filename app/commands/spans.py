"""How far back a command looks: ``7d``, ``12h``, ``30m``, or since a day or an instant."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import click

from app.clock import utc_now

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_SPAN = re.compile(r"([0-9]{1,5})([mhd])", re.ASCII)


class Since(click.ParamType[datetime]):
    """An aware instant. A day or an instant without an offset is in UTC."""

    name = "SPAN"

    def convert(self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            if found := _SPAN.fullmatch(value):
                return utc_now() - timedelta(**{_UNITS[found[2]]: int(found[1])})
            moment = datetime.fromisoformat(value)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no span such as 7d, 12h or 30m, and no day such as 2026-01-31", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
