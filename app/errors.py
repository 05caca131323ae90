"""What can go wrong with one message, said so that the next move follows from the error alone.

Adapters, mappings' callers and steps raise these; only ``app/pipeline/outcome.py`` turns them into a move.
"""

from __future__ import annotations

from datetime import date

# What a target itself may ask for (Retry-After): longer than that nobody knows what it will be like.
WISH_MOST_SECONDS = 3_600.0


class LinesideError(Exception):
    """Base of every error that Lineside raises on purpose."""


class Transient(LinesideError):
    """Nothing took effect and the same call may succeed later: try again.

    ``after_seconds`` is the other side's own wish (Retry-After); None leaves the delay to the retry policy. ``alone``:
    the target is well, and only this document is not through.
    """

    def __init__(self, reason: str, after_seconds: float | None = None, *, alone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
        self.alone = alone


class Waiting(LinesideError):
    """Nothing is wrong with the message, but what it needs is not there yet.

    ``for_what`` is a reference such as ``item:BIKE-1`` or ``order:1000123``; its arrival wakes the message.
    """

    def __init__(self, for_what: str, reason: str) -> None:
        super().__init__(reason)
        self.for_what = for_what
        self.reason = reason


def stock_reference(plant: str, item: str) -> str:
    """What a message waits for when a target is short of this item in this plant."""
    return f"stock:{plant}:{item}"


CROSSWALK_REFERENCE = "crosswalk:"


def crosswalk_reference(system: str, name: str, value: str) -> str:
    """What a message waits for when this crosswalk of a source or target lacks the value."""
    return f"{CROSSWALK_REFERENCE}{system}:{name}:{value}"


def parted_crosswalk_reference(reference: str) -> tuple[str, str, str]:
    """System, name and value; neither of the first two has a colon in it."""
    system, name, value = reference.removeprefix(CROSSWALK_REFERENCE).split(":", 2)
    return system, name, value


class PeriodClosed(Waiting):
    """The target takes nothing for this ``day``: its period is closed. ``open_on``: the first day that it would take,
    where it tells."""

    def __init__(self, target: str, day: date, reason: str, open_on: date | None = None) -> None:
        super().__init__(period_reference(target, day.isoformat()), f"{reason} Waits for {target} to take {day}.")
        self.day = day
        self.open_on = open_on


def period_reference(target: str, day: str) -> str:
    """What a message waits for when a target has closed the period of this day."""
    return f"period:{target}:{day}"


class Refused(LinesideError):
    """The message can never succeed as it is: it goes to the dead letters.

    ``code`` is a stable word for filters and metrics (``unit_unknown``), ``reason`` a sentence that a person can
    act on, ``field`` the place in the payload where one can be named.
    """

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.field = field


class NotTaken(Refused):
    """The target has looked at this very document since and refused it: it certainly holds nothing of it."""


class OutcomeUnknown(LinesideError):
    """A call may or may not have taken effect (time-out, dropped answer): the target is asked before any repeat.

    ``after_seconds`` and ``alone`` as with ``Transient``."""

    def __init__(self, reason: str, after_seconds: float | None = None, *, alone: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after_seconds = after_seconds
        self.alone = alone


def wished_seconds(error: LinesideError) -> float:
    """How long the other side asked to be left alone; 0 where it asked for nothing."""
    wish = error.after_seconds if isinstance(error, (Transient, OutcomeUnknown)) else None
    return min(wish or 0.0, WISH_MOST_SECONDS)


class TargetPaused(LinesideError):
    """The target rejects our credentials: every posting to it waits until an operator mends them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
