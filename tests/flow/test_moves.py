"""A move happens once, only from a state that allows it, and only for the holder of the lease."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.inbox.claim import claim_messages, new_token
from app.inbox.states import MOVES, STEP_OF, Move, State, Step, move_messages
from app.store.session import Store
from tests.factories import NOON, accept, move_event
from tests.reading import states, timeline


def test_a_worker_whose_lease_has_ended_changes_nothing(store: Store) -> None:
    (moved,) = accept(store, move_event())
    with store.writing() as session:
        claim_messages(session, "P100", Step.TRANSFORM, 1, "first", NOON, lease_seconds=0)
    with store.writing() as session:
        claim_messages(session, "P100", Step.TRANSFORM, 1, "second", NOON, lease_seconds=60)

    with store.writing() as session:
        late = move_messages(session, [Move(moved, State.DEAD)], NOON, lease_token="first")

    assert late == set()
    assert states(store, moved) == ["received"]


def test_a_claimed_message_is_not_claimed_again_until_its_lease_ends(store: Store) -> None:
    accept(store, move_event())
    with store.writing() as session:
        claim_messages(session, "P100", Step.TRANSFORM, 1, new_token(), NOON, lease_seconds=60)

    with store.writing() as session:
        during = claim_messages(session, "P100", Step.TRANSFORM, 1, new_token(), NOON, lease_seconds=60)

    assert during == []


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(st.sampled_from(list(State)), max_size=8))
def test_any_sequence_of_moves_follows_the_table_and_leaves_one_row_each(
    sqlite_store: Store, wanted: list[State]
) -> None:
    (key,) = accept(sqlite_store, move_event(new_token()))
    expected = [State.RECEIVED]

    for state in wanted:
        step = STEP_OF.get(state)
        with sqlite_store.writing() as session:
            moved = move_messages(session, [Move(key, state, step, NOON if step else None)], NOON)
        assert bool(moved) == (state in MOVES[expected[-1]])
        if moved:
            expected.append(state)

    assert timeline(sqlite_store, key) == [state.value for state in expected]
    assert states(sqlite_store, key) == [expected[-1].value]
