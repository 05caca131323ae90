"""What was accepted is stored once, as it came, and counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from app.inbox.accept import accept_messages
from app.store.counts import fold_changes, message_counts
from app.store.documents import load_payloads
from app.store.messages_tables import Message
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books


def test_a_repeat_is_answered_with_the_first_id(store: Store) -> None:
    (first,) = accept(store, move_event("m1"))

    with store.writing() as session:
        (again,) = accept_messages(session, [move_event("m1")], NOON)

    assert (again.status, again.id) == ("repeat", first)


def test_the_same_id_with_another_payload_is_a_conflict_and_changes_nothing(store: Store) -> None:
    (first,) = accept(store, move_event("m1"))
    original = move_event("m1").body

    with store.writing() as session:
        (other,) = accept_messages(session, [move_event("m1", lot="L9")], NOON)

    assert (other.status, other.id) == ("conflict", first)
    with store.reading() as session:
        assert load_payloads(session, [first])[first].body == original


def test_a_repeat_inside_one_batch_is_stored_once(store: Store) -> None:
    with store.writing() as session:
        answers = accept_messages(session, [move_event("m1"), move_event("m1"), move_event("m1", lot="x")], NOON)

    assert [answer.status for answer in answers] == ["accepted", "repeat", "conflict"]
    assert len({answer.id for answer in answers}) == 1


def test_the_same_message_sent_by_many_at_once_is_stored_once(store: Store) -> None:
    def send(_: int) -> str:
        with store.writing() as session:
            return accept_messages(session, [move_event("m1")], NOON)[0].status

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(send, range(16)))

    assert sorted(statuses) == ["accepted"] + ["repeat"] * 15
    with store.reading() as session:
        assert session.execute(select(func.count()).select_from(Message)).scalar_one() == 1


def test_what_is_rolled_back_is_neither_stored_nor_counted(store: Store) -> None:
    try:
        with store.writing() as session:
            accept_messages(session, [move_event("m1")], NOON)
            raise RuntimeError("the disk is full")
    except RuntimeError:
        pass

    with store.reading() as session:
        assert message_counts(session) == {}


def test_counts_stay_exact_whether_folded_or_not(store: Store) -> None:
    know_items(store)
    accept(store, *(move_event(f"m{number}") for number in range(7)))
    with store.writing() as session:
        fold_changes(session)
    run_once(pipeline(store, {"erp": Books()}), up_to=5)

    with store.reading() as session:
        unfolded = {key: n for key, n in message_counts(session).items() if n}
    with store.writing() as session:
        fold_changes(session)
    with store.reading() as session:
        folded = {key: n for key, n in message_counts(session).items() if n}

    assert unfolded == folded
    assert sum(folded.values()) == 7
    assert folded["P100", "inventory.moved.v1", "posted"] == 5
