"""Whoever waits for an item, an order or stock goes on when it arrives, however many wait, and not only by time."""

from __future__ import annotations

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import func, select

from app.dead_letters.reversal import reverse
from app.errors import Waiting, stock_reference
from app.inbox import wakes
from app.inbox.accept import Incoming
from app.inbox.wakes import wake_portion
from app.pipeline import enrich
from app.pipeline.enrich import enrich_due
from app.pipeline.transform import transform_due
from app.projections.items import save_items
from app.store.messages_tables import Message
from app.store.session import Store
from tests.factories import NOON, accept, completion, incoming, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.reading import message, states

SHORT = Waiting(stock_reference("P100", "WHEEL-10"), "The ERP is short of 2 EA of WHEEL-10 at P100.")


def _item(message_id: str, code: str = "WHEEL-10") -> Incoming:
    data = {"event_time": "2026-03-02T08:00:00Z", "item": code, "description": "Wheel", "base_uom": "EA"}
    return incoming(message_id, "item.changed.v1", data)


def test_what_waits_for_stock_goes_on_when_stock_is_moved_there(store: Store) -> None:
    books = Books()
    books.before = [None, SHORT]
    know_items(store)
    line = pipeline(store, {"erp": books})
    accept(store, release())
    run_once(line)
    (short,) = accept(store, completion())
    run_once(line)
    waiting = message(store, short)

    accept(store, move_event("m1", lot="L1"))
    run_once(line)
    run_once(line)

    assert (waiting.state, waiting.waiting_for) == ("waiting", "stock:P100:WHEEL-10")
    assert states(store, short) == ["posted"]


def test_stock_that_another_plant_sends_wakes_the_plant_that_gets_it(store: Store) -> None:
    books = Books()
    books.before = [SHORT]
    know_items(store)
    line = pipeline(store, {"erp": books})
    (short,) = accept(store, move_event("m1", lot="L1"))
    run_once(line)
    sent = {
        "item": "WHEEL-10",
        "quantity": {"value": "2", "uom": "EA"},
        "from": {"site": "P200"},
        "to": {"site": "P100"},
    }
    data = {"event_time": "2026-03-02T08:00:00Z", **sent}

    accept(store, incoming("m2", "inventory.moved.v1", data, plant="P200"))
    run_once(line, "P200")
    run_once(line)

    assert states(store, short) == ["posted"]


def test_stock_that_a_reversal_gives_back_wakes_who_waits_for_it(store: Store) -> None:
    books = Books()
    books.before = [None, SHORT]
    know_items(store)
    line = pipeline(store, {"erp": books})
    first, short = accept(store, move_event("m1", lot="L1"), move_event("m2", lot="L2"))
    for _ in range(2):
        run_once(line, up_to=1)
    assert states(store, first, short) == ["posted", "waiting"]

    with store.writing() as session:
        reverse(session, first, "moved by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    run_once(line)

    assert states(store, first, short) == ["compensated", "posted"]


def test_who_waits_for_stock_does_not_hold_the_message_of_its_key_that_brings_it(store: Store) -> None:
    books = Books()
    books.before = [SHORT]
    know_items(store)
    line = pipeline(store, {"erp": books})
    key: dict[str, Any] = {"ordering_key": "K", "attributes": {"partitionkey": "K"}}
    (short,) = accept(store, move_event("m1", sequence="1", **key))
    run_once(line)
    between, bringing = accept(
        store,
        incoming("e2", "item.changed.v1", {**_EMPTY, "item": "OTHER"}, sequence="2", **key),
        move_event("m3", sequence="3", **key),
    )

    for _ in range(3):
        run_once(line)

    assert states(store, short, between, bringing) == ["posted", "posted", "posted"]
    assert len(books.effects) == 2


_EMPTY = {"event_time": "2026-03-02T08:00:00Z", "description": "Other", "base_uom": "EA"}


def test_thousands_that_wait_for_one_item_are_woken_in_portions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakes, "PORTION", 20)
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock)
    accept(store, *(move_event(f"m{number}") for number in range(50)))
    transform_due(line, "P100", 100)
    enrich_due(line, "P100", 100)
    accept(store, _item("i1"))

    run_once(line)
    woken = [_due(store, clock)]
    accept(store, _item("i2"))
    while _wake_portion(store, clock):
        woken.append(_due(store, clock))
        if len(woken) == 2:
            run_once(line)
            woken.append(_due(store, clock))

    assert woken[:2] == [0, 20]
    assert woken[-1] == 30
    run_once(line)
    assert _due(store, clock) == 0
    with store.reading() as session:
        posted = select(func.count()).where(Message.state == "posted", Message.type == "inventory.moved.v1")
        assert session.execute(posted).scalar_one() == 50


def _wake_portion(store: Store, clock: Clock) -> bool:
    with store.writing() as session:
        return wake_portion(session, clock())


def _due(store: Store, clock: Clock) -> int:
    due = select(func.count()).where(Message.state == "waiting", Message.due_at <= clock())
    with store.reading() as session:
        return session.execute(due).scalar_one()


def test_a_portion_comes_round_once_and_again_only_for_another_arrival(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wakes, "PORTION", 2)
    clock = Clock(NOON)
    line = pipeline(sqlite_store, {"erp": Books()}, clock)
    accept(sqlite_store, *(move_event(f"m{number}") for number in range(5)))
    run_once(line)

    def arrive() -> None:
        with sqlite_store.writing() as session:
            wakes.wake_arrived(session, ["item:WHEEL-10"], clock())

    arrive()
    rounds = [_wake_portion(sqlite_store, clock)]
    arrive()
    while _wake_portion(sqlite_store, clock):
        rounds.append(True)
        run_once(line)  # the item is still unknown, so they wait again
        assert len(rounds) < 10

    assert len(rounds) == 6


def test_a_wait_ends_when_the_source_says_it_does(sqlite_store: Store) -> None:
    clock = Clock(NOON)
    line = pipeline(sqlite_store, {"erp": Books()}, clock, wait_seconds=900)
    (early,) = accept(sqlite_store, move_event())
    run_once(line)

    while message(sqlite_store, early).state == "waiting":
        clock.now = message(sqlite_store, early).due_at or NOON
        run_once(line)

    found = message(sqlite_store, early)
    assert (found.state, clock.now - NOON) == ("dead", timedelta(seconds=900))
    assert found.reason == (
        "Waits for item WHEEL-10, which no system has described yet. Gave up after 0.25 h; provide it, then requeue."
    )


def test_what_arrives_while_somebody_looks_wakes_it_whatever_the_clocks_say(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look reads the clock, waits for the other's transaction, and only then writes that it goes on waiting."""
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock)
    know_items(store)
    accept(store, release())
    (waiting,) = accept(store, completion(item="LATE-1"))
    for _ in range(5):
        run_once(line)
        clock.pass_time(30)
    looks = enrich.load_facts

    def load_facts(*looked: Any) -> Any:
        found = looks(*looked)
        know_items(store, "LATE-1")
        with store.writing() as session:
            wakes.wake_arrived(session, ["item:LATE-1"], clock() + timedelta(milliseconds=50))
        return found

    with monkeypatch.context() as patched:
        patched.setattr(enrich, "load_facts", load_facts)
        enrich_due(line, "P100", 10)

    before = message(store, waiting)
    clock.pass_time(1)
    enrich_due(line, "P100", 10)
    assert (before.state, before.waiting_for) == ("waiting", "item:LATE-1")
    assert states(store, waiting) == ["enriched"]


def test_what_was_due_when_something_arrived_is_looked_at_after_it_and_not_before(store: Store) -> None:
    """Its look may begin while what it waits for is written and not committed; it would see nothing of it, and wait."""
    clock = Clock(NOON)
    line = pipeline(store, {"erp": Books()}, clock)
    know_items(store)
    accept(store, release())
    (waiting,) = accept(store, completion(item="LATE-1"))
    for _ in range(5):
        run_once(line)
        clock.pass_time(100)
    looker = Thread(target=enrich_due, args=(line, "P100", 10))

    with store.writing() as session:
        save_items(session, [{**_EMPTY, "code": "LATE-1", "units": {}, "base_uom": "EA"}], "test", clock())
        wakes.wake_arrived(session, ["item:LATE-1"], clock())
        looker.start()
        looker.join(0.5 if store.is_sqlite else 30)  # SQLite lets nobody claim anything meanwhile
    looker.join(30)
    clock.pass_time(1)
    enrich_due(line, "P100", 10)

    assert not looker.is_alive()
    assert states(store, waiting) == ["enriched"]
