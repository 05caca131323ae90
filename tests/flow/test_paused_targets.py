"""A target that takes nothing from anybody is paused once, and its messages wait without losing anything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace

from app.adapters.base import Adapter
from app.adapters.registry import SecretMissing
from app.postings.pauses import pause_target, paused_targets, resume_target
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, posting_states, states


def test_a_target_without_its_secret_is_paused_and_goes_on_once_it_has_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    (moved,) = accept(store, move_event())
    whole = pipeline(store, {"erp": books}, clock)

    def without_secret(code: str) -> Adapter:
        raise SecretMissing(f"the secret of target {code!r} is not set; set LINESIDE_SECRET_ERP")

    run_once(replace(whole, adapter_for=without_secret))

    assert (states(store, moved), posting_states(store, moved)) == (["waiting"], ["planned"])
    assert "LINESIDE_SECRET_ERP" in (message(store, moved).reason or "")

    with store.writing() as session:
        assert resume_target(session, "erp")
    clock.pass_time(400)
    run_once(whole)
    assert (states(store, moved), len(books.effects)) == (["posted"], 1)


def test_two_workers_that_are_turned_away_at_once_pause_the_target_once(store: Store) -> None:
    def pause(reason: str) -> None:
        with store.writing() as session:
            pause_target(session, "erp", reason, NOON)

    with ThreadPoolExecutor(1) as pool:
        with store.writing() as session:
            pause_target(session, "erp", "the first", NOON)
            second = pool.submit(pause, "the second")
            wait([second], 0.3)  # by now it has looked, and cannot see what is not committed
        second.result(30)

    with store.reading() as session:
        assert paused_targets(session) == {"erp": "the first"}
