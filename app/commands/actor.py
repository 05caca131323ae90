"""Who acts at a terminal: the name that the timeline and the trail keep."""

from __future__ import annotations

import os
import pwd


def terminal_actor() -> str:
    """``cli:NAME``, by the user that the system knows, which no variable can change."""
    try:
        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except KeyError:
        return f"cli:{os.getuid()}"
