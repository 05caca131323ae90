"""When a target is left alone: closed, open, half open. Plain values; the database keeps them for all workers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from app.errors import WISH_MOST_SECONDS
from config.topology import CircuitPolicy

CLOCKS_DIFFER_SECONDS = 60.0


class CircuitState(StrEnum):
    """``half_open``: one posting is let through to see whether the target answers again."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True)
class Circuit:
    """``failures`` in a row; ``openings`` since it last answered twice, each longer than the one before."""

    state: CircuitState = CircuitState.CLOSED
    failures: int = 0
    openings: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None


@dataclass(frozen=True)
class Told:
    """What calls that ended together tell about their target. A refusal is an answer. ``after_seconds``: when the
    target itself wants to be asked again."""

    answered: int = 0
    failed: int = 0
    after_seconds: float | None = None

    def __add__(self, other: Told) -> Told:
        wishes = [told.after_seconds for told in (self, other) if told.after_seconds is not None]
        return Told(self.answered + other.answered, self.failed + other.failed, max(wishes, default=None))


def after_calls(circuit: Circuit, told: Told, policy: CircuitPolicy, now: datetime) -> Circuit:
    """The circuit after these calls."""
    if told.after_seconds is not None:
        wish = now + timedelta(seconds=min(told.after_seconds, WISH_MOST_SECONDS))
        failures = circuit.failures + told.failed
        return Circuit(CircuitState.OPEN, failures, circuit.openings, circuit.opened_at or now, wish)
    if told.answered and circuit.state is not CircuitState.OPEN:
        # Only who answers while everybody may call is well: one answer after an outage ends no memory of it.
        openings = 0 if circuit.state is CircuitState.CLOSED else circuit.openings
        return Circuit(openings=openings)
    if not told.failed:
        return circuit
    failed = replace(circuit, failures=circuit.failures + told.failed)
    if circuit.state is CircuitState.OPEN:
        return failed  # by calls that began before it opened
    if circuit.state is CircuitState.CLOSED and failed.failures < policy.failures:
        return failed
    seconds = min(policy.cap_seconds, policy.open_seconds * 2.0 ** min(circuit.openings, 30))
    retry_at = now + timedelta(seconds=seconds)
    return Circuit(CircuitState.OPEN, failed.failures, circuit.openings + 1, circuit.opened_at or now, retry_at)


def looked_at(circuit: Circuit, policy: CircuitPolicy, now: datetime) -> Circuit:
    """The circuit as it is by now: an open one is half open once its time is over."""
    if circuit.state is not CircuitState.OPEN or not is_over(circuit, policy, now):
        return circuit
    return replace(circuit, state=CircuitState.HALF_OPEN)


def is_over(circuit: Circuit, policy: CircuitPolicy, now: datetime) -> bool:
    """Whether the time is over for which it is open. A time beyond every possible one was set by a clock that has
    been set back since."""
    longest = max(policy.cap_seconds, WISH_MOST_SECONDS) + CLOCKS_DIFFER_SECONDS
    return circuit.retry_at is None or not now < circuit.retry_at <= now + timedelta(seconds=longest)
