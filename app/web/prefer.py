"""How long a caller wants to wait: the ``Prefer`` header (RFC 7240)."""

from __future__ import annotations

import re

_WAIT = re.compile(r"wait\s*=\s*\"?([0-9]{1,9})\"?", re.IGNORECASE)


def wished_wait_seconds(prefer: str, most: int) -> int:
    """At most ``most``, which is also the answer where nothing is wished. ``respond-async`` alone is not to wait. What
    cannot be read is no wish."""
    wishes = [part.split(";")[0].strip() for part in prefer.split(",")]
    waits = [int(found[1]) for wish in wishes if (found := _WAIT.fullmatch(wish))]
    if waits:
        return min(waits[0], most)
    return 0 if "respond-async" in (wish.lower() for wish in wishes) else most
