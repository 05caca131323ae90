"""Two people, or a person and a worker, who act on one message at the same moment: one act counts."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from app.dead_letters.repair import DeadLetterError, correct, discard, requeue
from app.errors import Refused
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import states, timeline

pytestmark = pytest.mark.slow


def _dead(store: Store) -> int:
    books = Books()
    books.before = [Refused("bad", "No.")]
    know_items(store)
    (moved,) = accept(store, move_event())
    run_once(pipeline(store, {"erp": books}, Clock(NOON)))
    assert states(store, moved) == ["dead"]
    return moved


def _while_another_holds_it(store: Store, first: Callable[..., object], second: Callable[..., object]) -> None:
    """``second`` begins while ``first`` is done and not committed."""
    done = threading.Event()

    def act() -> None:
        with store.writing() as session:
            second(session)
        done.set()

    with store.writing() as session:
        first(session)
        thread = threading.Thread(target=act)
        thread.start()
        done.wait(0.5)
    thread.join(20)


def test_a_discard_that_comes_with_a_requeue_does_not_end_the_requeued_message(store: Store) -> None:
    moved = _dead(store)

    _while_another_holds_it(
        store,
        lambda session: requeue(session, [moved], "ada", NOON),
        lambda session: discard(session, [moved], "bob", "not needed", NOON),
    )

    assert states(store, moved) == ["received"]


def test_two_requeues_at_once_are_one(store: Store) -> None:
    moved = _dead(store)

    _while_another_holds_it(
        store,
        lambda session: requeue(session, [moved], "ada", NOON),
        lambda session: requeue(session, [moved], "bob", NOON),
    )

    assert timeline(store, moved)[-2:] == ["dead", "received"]


def test_a_correction_that_comes_with_a_discard_changes_nothing(store: Store) -> None:
    moved = _dead(store)
    told: list[str] = []

    def correct_it(session: object) -> None:
        try:
            correct(session, moved, b"{}", "bob", NOON)  # type: ignore[arg-type]
        except DeadLetterError as error:
            told.append(str(error))

    _while_another_holds_it(store, lambda session: discard(session, [moved], "ada", "no", NOON), correct_it)

    assert states(store, moved) == ["discarded"]
    assert len(told) == 1
