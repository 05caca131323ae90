"""A target's circuit: every state, what is told, and what follows."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.postings.circuit import Circuit, CircuitState, Told, after_calls, looked_at
from config.topology import CircuitPolicy
from tests.factories import NOON

POLICY = CircuitPolicy(failures=3, open_seconds=10, cap_seconds=35)
CLOSED, OPEN, HALF_OPEN = CircuitState.CLOSED, CircuitState.OPEN, CircuitState.HALF_OPEN
EARLIER = NOON - timedelta(minutes=1)

# (before, told) -> (state, failures, openings, seconds until it is tried again)
TABLE = [
    (Circuit(), Told(answered=4), CLOSED, 0, 0, None),
    (Circuit(), Told(failed=2), CLOSED, 2, 0, None),
    (Circuit(), Told(failed=3), OPEN, 3, 1, 10),
    (Circuit(failures=2), Told(failed=1), OPEN, 3, 1, 10),
    (Circuit(failures=2), Told(answered=1), CLOSED, 0, 0, None),
    (Circuit(failures=2), Told(answered=1, failed=7), CLOSED, 0, 0, None),
    (Circuit(failures=2), Told(), CLOSED, 2, 0, None),
    (Circuit(), Told(failed=1, after_seconds=120), OPEN, 1, 0, 120),
    (Circuit(), Told(answered=7, failed=1, after_seconds=120), OPEN, 1, 0, 120),
    (Circuit(), Told(failed=1, after_seconds=90_000), OPEN, 1, 0, 3_600),
    (Circuit(OPEN, 3, 1, EARLIER, NOON), Told(failed=4), OPEN, 7, 1, 0),
    (Circuit(OPEN, 3, 1, EARLIER, NOON), Told(answered=4), OPEN, 3, 1, 0),
    (Circuit(HALF_OPEN, 3, 1, EARLIER, NOON), Told(answered=1), CLOSED, 0, 1, None),
    (Circuit(HALF_OPEN, 3, 1, EARLIER, NOON), Told(failed=1), OPEN, 4, 2, 20),
    (Circuit(HALF_OPEN, 9, 7, EARLIER, NOON), Told(failed=1), OPEN, 10, 8, 35),
    (Circuit(HALF_OPEN, 3, 1, EARLIER, NOON), Told(), HALF_OPEN, 3, 1, 0),
    # It answered once and fell again: longer than the time before. It answered twice: all is forgotten.
    (Circuit(CLOSED, 0, 1), Told(failed=3), OPEN, 3, 2, 20),
    (Circuit(CLOSED, 0, 1), Told(answered=1), CLOSED, 0, 0, None),
]


@pytest.mark.parametrize(("before", "told", "state", "failures", "openings", "seconds"), TABLE)
def test_what_calls_tell_moves_the_circuit(
    before: Circuit, told: Told, state: CircuitState, failures: int, openings: int, seconds: float | None
) -> None:
    after = after_calls(before, told, POLICY, NOON)

    left = None if after.retry_at is None else (after.retry_at - NOON).total_seconds()
    assert (after.state, after.failures, after.openings, left) == (state, failures, openings, seconds)


@pytest.mark.parametrize(
    ("passed", "state"), [(0, OPEN), (9.9, OPEN), (10, HALF_OPEN), (11, HALF_OPEN), (-7_200, HALF_OPEN)]
)
def test_an_open_circuit_is_half_open_once_its_time_is_over(passed: float, state: CircuitState) -> None:
    """Also where a clock was set back by hours since."""
    opened = after_calls(Circuit(), Told(failed=3), POLICY, NOON)

    assert looked_at(opened, POLICY, NOON + timedelta(seconds=passed)).state is state


def test_calls_that_ended_together_are_told_together() -> None:
    told = Told(answered=1) + Told(failed=1, after_seconds=5) + Told(failed=1, after_seconds=30)

    assert told == Told(answered=1, failed=2, after_seconds=30)
