"""Clocks that are set back, and counts that are read while they are folded."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event

from app.store.counts import fold_changes, message_counts
from app.store.leases import take_lease
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import states


def test_a_clock_set_back_by_an_hour_stops_no_posting_of_what_comes_then(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    accept(store, *(move_event(f"m{number}") for number in range(40)))
    run_once(line)

    clock.pass_time(-3_600)
    later = accept(store, *(move_event(f"n{number}") for number in range(40)), at=clock())
    run_once(line)

    assert set(states(store, *later)) == {"posted"}


def test_a_lease_from_before_a_clock_was_set_back_is_over(store: Store) -> None:
    with store.writing() as session:
        take_lease(session, "relay", "first", NOON + timedelta(hours=1), seconds=10)

    with store.writing() as session:
        taken = take_lease(session, "relay", "second", NOON, seconds=10)
        again = take_lease(session, "relay", "third", NOON, seconds=10)

    assert (taken, again) == (True, False)


def test_counts_are_exact_though_they_are_folded_in_the_midst_of_the_reading(store: Store) -> None:
    accept(store, *(move_event(f"m{number}") for number in range(10)))

    with store.reading() as session:

        def fold(*_: object) -> None:
            with store.writing() as other:
                fold_changes(other)

        event.listen(session.connection(), "after_cursor_execute", fold)
        counts = message_counts(session)

    assert sum(counts.values()) == 10
