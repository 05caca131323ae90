"""What died before its place was known is not slipped in behind later messages of its key, unless a person says so."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from app.dead_letters.repair import correct, requeue
from app.pipeline.context import Pipeline
from app.store.access_tables import AuditEntry
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books
from tests.reading import message, states


def _mend(store: Store, message_id: int, out_of_order: str | None = None) -> None:
    with store.writing() as session:
        requeue(session, [message_id], "ada", NOON, out_of_order)


@pytest.fixture
def line(store: Store) -> Pipeline:
    know_items(store)
    return pipeline(store, {"erp": Books()})


def _body(at: str) -> bytes:
    return json.dumps(json.loads(move_event(lot="L1", at=at).body)).encode()


def _dead_of_unknown_place(store: Store, line: Pipeline) -> int:
    broken = incoming("bad", "inventory.moved.v1", {"event_time": "2026-03-02T08:00:00Z", "lot": "L1"})
    (dead,) = accept(store, broken, at=line.clock())
    run_once(line)
    assert states(store, dead) == ["dead"]
    return dead


def test_a_corrected_message_that_was_overtaken_is_dead_until_a_person_gives_leave(
    store: Store, line: Pipeline
) -> None:
    dead = _dead_of_unknown_place(store, line)
    (later,) = accept(store, move_event("later", lot="L1", at="2026-03-02T09:00:00Z"))
    run_once(line)

    with store.writing() as session:
        correct(session, dead, _body("2026-03-02T08:00:00Z"), "ada", NOON)
    run_once(line)
    refused = message(store, dead)
    _mend(store, dead)
    run_once(line)
    again = message(store, dead)
    _mend(store, dead, "counted by hand")
    run_once(line)

    assert (refused.state, refused.reason_code) == ("dead", "out_of_order")
    assert (refused.reason or "").startswith(
        f"Message {later} of lot:L1, which comes after it, took effect before: requeue it out of order, with a reason,"
    )
    assert again.reason_code == "out_of_order"
    assert states(store, dead) == ["posted"]
    with store.reading() as session:
        trail = select(AuditEntry.detail).where(AuditEntry.action == "dead_letter.requeued").order_by(AuditEntry.id)
        assert list(session.scalars(trail))[-1] == {"out_of_order": "counted by hand"}


def test_one_that_came_late_itself_needs_no_leave(store: Store, line: Pipeline) -> None:
    accept(store, move_event("later", lot="L1", at="2026-03-02T09:00:00Z"))
    run_once(line)
    line.clock.pass_time(60)  # type: ignore[attr-defined]
    dead = _dead_of_unknown_place(store, line)

    with store.writing() as session:
        correct(session, dead, _body("2026-03-02T08:00:00Z"), "ada", NOON)
    run_once(line)

    assert states(store, dead) == ["posted"]


def test_one_that_nobody_overtook_takes_effect_at_once(store: Store, line: Pipeline) -> None:
    dead = _dead_of_unknown_place(store, line)
    accept(store, move_event("before", lot="L1", at="2026-03-02T07:00:00Z"))
    run_once(line)

    with store.writing() as session:
        correct(session, dead, _body("2026-03-02T08:00:00Z"), "ada", NOON)
    run_once(line)

    assert states(store, dead) == ["posted"]


def test_the_release_that_a_completion_needs_does_not_overtake_it(store: Store, line: Pipeline) -> None:
    (dead,) = accept(store, incoming("bad", "production.completed.v1", {"order_id": "1000"}))
    run_once(line)
    accept(store, release(at="2026-03-02T09:00:00Z"))
    run_once(line)

    with store.writing() as session:
        correct(session, dead, completion(at="2026-03-02T08:00:00Z").body, "ada", NOON)
    run_once(line)

    assert states(store, dead) == ["posted"]
