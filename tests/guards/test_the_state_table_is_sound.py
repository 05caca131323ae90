"""The table of states: every state can be reached, and only the terminal ones have no way out that ends."""

from __future__ import annotations

from app.inbox.states import MOVES, STEP_OF, TERMINAL, State


def _reachable(start: State) -> set[State]:
    seen, todo = {start}, [start]
    while todo:
        for following in MOVES[todo.pop()] - seen:
            seen.add(following)
            todo.append(following)
    return seen


def test_every_state_is_in_the_table_and_can_be_reached() -> None:
    assert set(MOVES) == set(State)
    assert _reachable(State.RECEIVED) == set(State)


def test_every_state_that_is_not_terminal_can_end() -> None:
    for state in set(State) - TERMINAL:
        assert _reachable(state) & TERMINAL, f"{state} never ends"


def test_a_terminal_state_never_goes_back_to_work() -> None:
    for state in TERMINAL - {State.POSTED}:
        assert _reachable(state) <= TERMINAL


def test_a_posted_message_is_reversed_or_dead_because_its_reversal_was_refused() -> None:
    assert MOVES[State.POSTED] == {State.COMPENSATED, State.DEAD}


def test_each_step_follows_exactly_one_state() -> None:
    assert len(set(STEP_OF.values())) == len(STEP_OF)
    assert all(state not in TERMINAL for state in STEP_OF)
