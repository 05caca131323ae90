"""The demonstration knows when everything that can move by itself has come to rest."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.demo.table import wait_until_settled
from app.errors import Refused, Transient
from app.pipeline.outcome import RECHECK_FIRST_SECONDS, target_reference
from app.postings.pauses import pause_target
from app.store.messages_tables import Message
from app.store.session import Store
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states

pytestmark = pytest.mark.slow

LATER = {"at": "2026-03-02T09:00:00Z"}


def test_what_waits_behind_a_dead_letter_has_settled(store: Store) -> None:
    books = Books()
    books.before = [Refused("target_refused", "no such place")]
    know_items(store)
    ids = accept(store, move_event("m1", lot="A"), move_event("m2", lot="A", **LATER))
    run_once(pipeline(store, {"erp": books}, Clock(NOON)))

    assert states(store, *ids) == ["dead", "waiting"]
    assert wait_until_settled(store, 2, 10.0, lambda settled: None)


def test_what_waits_behind_a_retry_has_not(store: Store) -> None:
    books = Books()
    books.before = [Transient("busy")]
    know_items(store)
    ids = accept(store, move_event("m1", lot="A"), move_event("m2", lot="A", **LATER))
    run_once(pipeline(store, {"erp": books}, Clock(NOON)))

    settled: list[int] = []
    assert states(store, *ids) == ["waiting", "waiting"]
    assert not wait_until_settled(store, 2, 0.1, settled.append)
    assert settled[-1] == 0


def test_what_waits_for_a_target_has_settled_only_where_a_person_has_to_resume_it(store: Store) -> None:
    know_items(store)
    (waiting,) = accept(store, move_event("m1"))
    with store.writing() as session:
        left_alone = {"state": "waiting", "step": "post", "waiting_for": target_reference("erp")}
        session.execute(update(Message).where(Message.id == waiting).values(left_alone))

    assert not wait_until_settled(store, 1, 0.1, lambda settled: None)

    with store.writing() as session:
        pause_target(session, "erp", "for the stock taking", NOON, "operator")

    assert wait_until_settled(store, 1, 10.0, lambda settled: None)


def test_what_a_worker_has_in_hand_has_not_settled_whatever_it_waited_for(store: Store) -> None:
    books = Books()
    books.before = [Refused("target_refused", "no such place")]
    know_items(store)
    ids = accept(store, move_event("m1", lot="A"), move_event("m2", lot="A", **LATER))
    run_once(pipeline(store, {"erp": books}, Clock(NOON)))
    with store.writing() as session:
        session.execute(update(Message).where(Message.id == ids[1]).values(lease_token="a worker's"))

    assert states(store, *ids) == ["dead", "waiting"]
    assert not wait_until_settled(store, 2, 3.0, lambda settled: None)


def test_what_only_began_to_wait_has_settled_once_it_was_looked_at_again(store: Store) -> None:
    """The release may have taken effect between its look and its wait, and then nothing wakes it."""
    know_items(store)
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock)
    (waiting,) = accept(store, completion())
    run_once(line)

    assert message(store, waiting).waiting_for == "order:P100:1000"
    assert not wait_until_settled(store, 1, 3.0, lambda settled: None)

    clock.pass_time(RECHECK_FIRST_SECONDS * 2)
    run_once(line)

    assert wait_until_settled(store, 1, 10.0, lambda settled: None)
