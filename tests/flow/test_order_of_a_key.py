"""Messages of one key take effect in order; what comes early waits and says for what."""

from __future__ import annotations

from app.dead_letters.repair import discard, requeue
from app.errors import Refused, Transient
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states


def _times(books: Books) -> list[str]:
    return [document["data"]["event_time"] for document in books.documents]


def test_a_backlog_of_one_key_takes_effect_by_event_time_not_by_arrival(store: Store) -> None:
    books = Books()
    know_items(store)
    hours = ["11", "09", "10", "08"]
    accept(store, *(move_event(f"m{h}", lot="L1", at=f"2026-03-02T{h}:00:00Z") for h in hours))

    run_once(pipeline(store, {"erp": books}))

    assert _times(books) == [f"2026-03-02T{h}:00:00Z" for h in sorted(hours)]


def test_a_senders_sequence_goes_before_the_event_time(store: Store) -> None:
    books = Books()
    know_items(store)
    accept(
        store,
        move_event("second", lot="L1", at="2026-03-02T08:00:00Z", sequence="10"),
        move_event("first", lot="L1", at="2026-03-02T09:00:00Z", sequence="9"),
    )

    run_once(pipeline(store, {"erp": books}))

    assert _times(books) == ["2026-03-02T09:00:00Z", "2026-03-02T08:00:00Z"]


def test_a_completion_waits_for_the_release_of_its_order_and_is_woken_by_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    (early,) = accept(store, completion())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    waiting = message(store, early)

    accept(store, release())
    run_once(line)
    run_once(line)

    assert (waiting.state, waiting.reason) == ("waiting", "Waits for release of order 1000.")
    assert states(store, early) == ["posted"]
    assert [document["type"] for document in books.documents] == [
        "production.order.released.v1",
        "production.completed.v1",
    ]


def test_an_unknown_item_waits_and_is_woken_by_the_items_arrival(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    (early,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    waiting = message(store, early)

    data = {"event_time": "2026-03-02T08:00:00Z", "item": "WHEEL-10", "description": "Wheel", "base_uom": "EA"}
    accept(store, incoming("i1", "item.changed.v1", data))
    run_once(line)
    run_once(line)

    assert (waiting.state, waiting.waiting_for) == ("waiting", "item:WHEEL-10")
    assert states(store, early) == ["posted"]


def test_what_waits_too_long_is_dead_and_says_what_it_waited_for(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    (early,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock, wait_seconds=900)

    for _ in range(20):
        run_once(line)
        clock.pass_time(301)

    found = message(store, early)
    assert (found.state, found.reason_code) == ("dead", "waited_too_long")
    assert "item WHEEL-10" in (found.reason or "")


def test_a_dead_message_holds_its_own_key_and_no_other(store: Store) -> None:
    books = Books()
    books.before = [Refused("bad", "No.")]
    know_items(store)
    first, second = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books})
    run_once(line)
    (other,) = accept(store, move_event("b1", lot="B"))

    run_once(line)

    assert states(store, first, second, other) == ["dead", "waiting", "posted"]
    assert message(store, second).reason == f"Waits for message {first}, which comes before it for lot:A."


def test_a_requeued_message_takes_effect_before_those_that_waited_behind_it(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("bad", "No.")]
    know_items(store)
    first, second = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)

    with store.writing() as session:
        requeue(session, [first], "ada", clock())
    run_once(line)
    run_once(line)

    assert states(store, first, second) == ["posted", "posted"]
    assert _times(books) == ["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]


def test_a_discarded_message_lets_its_key_go_on(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Refused("bad", "No.")]
    know_items(store)
    first, second = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)

    with store.writing() as session:
        discard(session, [first], "ada", "counted by hand", clock())
    run_once(line)

    assert states(store, first, second) == ["discarded", "posted"]


def test_a_retry_holds_the_later_messages_of_its_key(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.before = [Transient("busy")]
    know_items(store)
    first, second = accept(
        store,
        move_event("a1", lot="A", at="2026-03-02T08:00:00Z"),
        move_event("a2", lot="A", at="2026-03-02T09:00:00Z"),
    )
    line = pipeline(store, {"erp": books}, clock)

    for _ in range(5):
        run_once(line)
        clock.pass_time(60)

    assert states(store, first, second) == ["posted", "posted"]
    assert _times(books) == ["2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z"]


def test_a_later_message_waits_while_an_earlier_arrival_is_still_untransformed(store: Store) -> None:
    from app.pipeline.enrich import enrich_due
    from app.pipeline.post import post_due
    from app.pipeline.transform import transform_due

    books, clock = Books(), Clock(NOON)
    know_items(store)
    line = pipeline(store, {"erp": books}, clock)
    (later,) = accept(store, move_event("a2", lot="A", at="2026-03-02T09:00:00Z"))
    transform_due(line, "P100", 1)
    enrich_due(line, "P100", 1)
    (earlier,) = accept(store, move_event("a1", lot="A", at="2026-03-02T08:00:00Z"))

    post_due(line, "P100", 10)

    # It arrived after: only what arrived before a message can hold it back unseen.
    assert states(store, later, earlier) == ["posted", "received"]
