"""How a practice double misbehaves when it is asked to."""

from __future__ import annotations

import threading
from dataclasses import dataclass, fields
from typing import Any


@dataclass
class Faults:
    """What the next ``next`` requests with the method ``method`` suffer (any but those to /faults where it is empty).

    ``status`` answers so and does nothing, with ``detail`` and ``retry_after``; ``delay_seconds`` waits first;
    ``drop_after_commit`` does the work and hangs up without an answer; ``hang_seconds`` does the work and then keeps
    silent; ``drip_seconds`` answers with one byte every so many seconds; ``raw`` answers with this text as it is.
    """

    next: int = 0
    method: str = ""
    status: int = 0
    detail: str = ""
    retry_after: str = ""
    delay_seconds: float = 0.0
    drop_after_commit: bool = False
    hang_seconds: float = 0.0
    drip_seconds: float = 0.0
    raw: str = ""


class FaultSwitches:
    """The faults that are set now, taken by one request at a time."""

    def __init__(self) -> None:
        self._faults = Faults()
        self._lock = threading.Lock()

    def set(self, **switches: Any) -> None:
        """Replaces what was set before; names and kinds as in ``Faults``. Raises ValueError for any other."""
        kinds: dict[str, type] = {field.name: type(field.default) for field in fields(Faults)}
        for name, value in switches.items():
            if name not in kinds:
                raise ValueError(f"no such fault: {name}; there are {', '.join(kinds)}")
            if type(value) is not kinds[name] and (kinds[name] is not float or type(value) is not int):
                raise ValueError(f"{name} should be a {kinds[name].__name__}")
        with self._lock:
            self._faults = Faults(**switches)

    def take(self, method: str) -> Faults | None:
        with self._lock:
            if self._faults.next <= 0 or self._faults.method not in ("", method):
                return None
            self._faults.next -= 1
            return self._faults
