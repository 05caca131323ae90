"""Where a source leaves no number out, what comes early waits for the numbers before it, says so, and ends as told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import select

from app.dead_letters.repair import discard, requeue
from app.errors import Refused
from app.pipeline.context import Pipeline
from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from config.topology import GaplessSequence
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states


def _line(store: Store, books: Books, clock: Clock | None = None, **rule: Any) -> Pipeline:
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    source = replace(line.topology.sources["mes"], gapless_sequence=GaplessSequence(**rule))
    return replace(line, topology=replace(line.topology, sources={"mes": source}))


def _send(store: Store, clock: Clock | None, *numbers: int, lot: str = "L1") -> list[int]:
    at = clock() if clock else NOON
    events = (move_event(f"{lot}/{n}/{at:%H%M%S}", lot=lot, sequence=str(n)) for n in numbers)
    return accept(store, *events, at=at)


def _notes(store: Store, message_id: int) -> list[str]:
    query = select(TimelineEntry.note).where(TimelineEntry.message_id == message_id).order_by(TimelineEntry.id)
    with store.reading() as session:
        return [note or "" for note in session.execute(query).scalars()]


def _run(line: Pipeline, times: int = 3) -> None:
    for _ in range(times):
        run_once(line)


def test_what_comes_early_waits_for_the_missing_number_and_is_woken_by_it(store: Store) -> None:
    books = Books()
    line = _line(store, books)
    first, third, fourth = _send(store, None, 1, 3, 4)
    (other,) = _send(store, None, 1, lot="L2")
    _run(line)
    waiting, behind = message(store, third), message(store, fourth)

    (second,) = _send(store, None, 2)
    _run(line)

    assert (waiting.state, waiting.reason) == ("waiting", "Waits for sequence 2 of lot L1 from mes.")
    assert behind.reason == f"Waits for message {third}, which comes before it for lot:L1."
    assert states(store, first, second, third, fourth, other) == ["posted"] * 5


def test_without_the_rule_a_sequence_orders_only_what_is_there(sqlite_store: Store) -> None:
    know_items(sqlite_store)
    line = pipeline(sqlite_store, {"erp": Books()})
    sent = _send(sqlite_store, None, 5, 7)

    _run(line)

    assert states(sqlite_store, *sent) == ["posted", "posted"]


def test_what_waited_in_vain_is_dead_and_names_what_is_missing_and_a_requeue_goes_on_without(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    line = _line(store, books, clock, wait_seconds=3_600)
    first, fifth, sixth = _send(store, clock, 1, 5, 6)
    _run(line)
    clock.pass_time(3_600)
    _run(line)
    dead = message(store, fifth)

    with store.writing() as session:
        requeue(session, [fifth], "ada", clock())
    _run(line)
    (late,) = _send(store, clock, 3)
    _run(line)

    assert (dead.state, dead.reason_code) == ("dead", "sequence_missing")
    assert (dead.reason or "").startswith("Sequence 2 to 4 of lot L1 from mes did not come within 1 h. Have it sent,")
    assert states(store, first, fifth, sixth, late) == ["posted"] * 4
    assert _notes(store, late)[-1] == "Came late: mes had come to sequence 6 by then."


def test_where_the_rule_says_so_it_goes_on_without_and_says_so(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    line = _line(store, books, clock, wait_seconds=60, when_missing="go_on")
    third, fourth = _send(store, clock, 3, 4)
    _run(line)
    before = states(store, third, fourth)
    clock.pass_time(60)
    _run(line)

    assert (before, states(store, third, fourth)) == (["waiting", "waiting"], ["posted", "posted"])
    assert "Goes on, since sequence 1 to 2 of lot L1 from mes did not come within 60 s." in _notes(store, third)


def test_a_dead_number_has_come_and_a_discarded_one_is_waited_for_no_more(store: Store) -> None:
    books = Books()
    books.before = [None, Refused("bad", "No.")]
    line = _line(store, books)
    _, second, third, fifth = _send(store, None, 1, 2, 3, 5)
    _run(line)
    parked = [message(store, key).reason for key in (third, fifth)]

    with store.writing() as session:
        discard(session, [second], "ada", "counted by hand", NOON)
    _run(line)

    assert parked == [f"Waits for message {second}, which comes before it for lot:L1."] * 2
    assert states(store, second, third, fifth) == ["discarded", "posted", "waiting"]
    assert message(store, fifth).reason == "Waits for sequence 4 of lot L1 from mes."


def test_a_number_that_is_discarded_beyond_a_gap_counts_once_the_gap_is_filled(sqlite_store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    line = _line(sqlite_store, books, clock, wait_seconds=60)
    (third,) = _send(sqlite_store, clock, 3)
    _run(line)
    clock.pass_time(60)
    _run(line)
    with sqlite_store.writing() as session:
        discard(session, [third], "ada", "sent twice", clock())
    fourth, first = _send(sqlite_store, clock, 4, 1)
    _run(line)
    waiting = message(sqlite_store, fourth)
    (second,) = _send(sqlite_store, clock, 2)
    _run(line)

    assert waiting.reason == "Waits for sequence 2 of lot L1 from mes."
    assert states(sqlite_store, first, second, third, fourth) == ["posted", "posted", "discarded", "posted"]


def test_numbers_begin_where_the_rule_says_and_may_begin_anew(sqlite_store: Store) -> None:
    clock = Clock(NOON)
    line = _line(sqlite_store, Books(), clock, start=100)
    sent = _send(sqlite_store, clock, 100, 101)
    _run(line)
    clock.pass_time(60)
    again = _send(sqlite_store, clock, 1, 2)
    _run(line)

    assert states(sqlite_store, *sent, *again) == ["posted"] * 4


def test_a_sequence_that_is_no_number_is_told_at_once(sqlite_store: Store) -> None:
    line = _line(sqlite_store, Books())
    (sent,) = accept(sqlite_store, move_event(lot="L1", sequence="A7"))

    _run(line, 1)

    found = message(sqlite_store, sent)
    assert (found.state, found.reason_code, found.reason_field) == ("dead", "sequence_invalid", "sequence")
