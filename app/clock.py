"""The instant now. Everything that needs it is handed a clock, and this is the one that is handed outside of tests."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    return datetime.now(UTC)
