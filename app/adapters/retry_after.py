"""What a system asks for with ``Retry-After``, read in one place for every adapter that speaks HTTP."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from app.errors import WISH_MOST_SECONDS


def retry_after_seconds(header: str | None, now: datetime) -> float | None:
    """After how many seconds the system wants to be called again: it says so in seconds or as an HTTP date. Never more
    than WISH_MOST_SECONDS; None where the header is absent or cannot be read."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), WISH_MOST_SECONDS)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now.timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), WISH_MOST_SECONDS)
