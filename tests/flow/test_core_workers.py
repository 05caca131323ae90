"""A message that ends its worker ends alone; its neighbours go on."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy.exc import OperationalError

from app.pipeline import straight_on
from app.pipeline import transform as step
from app.pipeline.relay import Relay
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock, Killed, NoBroker
from tests.reading import message, states

pytestmark = pytest.mark.slow


def test_a_message_that_kills_its_worker_each_time_is_dead_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{number}") for number in range(120)))
    poison = ids[37]
    healthy = step._read_events

    def read_events(source: object, claimed: object, *rest: object) -> object:
        if claimed.id == poison:  # type: ignore[attr-defined]
            raise Killed
        return healthy(source, claimed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(step, "_read_events", read_events)
    line = pipeline(store, {"erp": books}, clock)
    for _ in range(60):
        try:
            run_once(line)
        except Killed:
            clock.pass_time(61)
        clock.pass_time(1)

    assert [key for key, state in zip(ids, states(store, *ids), strict=True) if state != "posted"] == [poison]
    assert message(store, poison).reason_code == "worker_lost"


def test_a_result_that_cannot_be_saved_stops_no_other_message_of_its_batch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    books, clock = Books(), Clock(NOON)
    know_items(store)
    ids = accept(store, *(move_event(f"m{number}") for number in range(60)))
    bad = ids[20]
    save = straight_on.save_transformed

    def save_or_fail(session: object, results: dict[int, object], now: object) -> None:
        if bad in results:
            raise OperationalError("INSERT", {}, Exception("row is too big"))
        save(session, results, now)  # type: ignore[arg-type]

    monkeypatch.setattr(straight_on, "save_transformed", save_or_fail)
    line = pipeline(store, {"erp": books}, clock)
    for _ in range(60):
        try:
            run_once(line)
        except OperationalError:
            clock.pass_time(61)
        clock.pass_time(1)

    assert [key for key, state in zip(ids, states(store, *ids), strict=True) if state != "posted"] == [bad]


def test_a_partition_key_that_is_a_number_is_a_key_like_any_other(store: Store) -> None:
    import json

    books = Books()
    know_items(store)
    event = move_event("m1")
    body = {"specversion": "1.0", "id": "m1", "partitionkey": 7, "data": json.loads(event.body)}
    first, good = accept(
        store,
        move_event("m1", content_type="application/cloudevents+json", body=json.dumps(body).encode()),
        move_event("m2"),
    )

    run_once(pipeline(store, {"erp": books}))

    assert states(store, first, good) == ["posted", "posted"]
    assert message(store, first).ordering_key == "7"


def test_a_partition_key_too_long_for_its_column_is_refused_alone(store: Store) -> None:
    books = Books()
    know_items(store)
    bad, good = accept(store, move_event("m1", attributes={"partitionkey": "k" * 251}), move_event("m2", attributes={}))

    run_once(pipeline(store, {"erp": books}))

    assert states(store, bad, good) == ["dead", "posted"]


def test_a_message_that_waited_and_then_kills_its_worker_each_time_is_dead_alone(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.pipeline import enrich

    books, clock = Books(), Clock(NOON)
    line = pipeline(store, {"erp": books}, clock)
    ids = accept(store, *(move_event(f"m{number}") for number in range(60)))
    for _ in range(4):
        run_once(line)
        clock.pass_time(61)
    know_items(store)
    healthy = enrich.plan_event

    def plan_event(line: object, claimed: object, *rest: object) -> object:
        if claimed.id == ids[5]:  # type: ignore[attr-defined]
            raise Killed
        return healthy(line, claimed, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(enrich, "plan_event", plan_event)
    for _ in range(40):
        try:
            run_once(line)
        except Killed:
            clock.pass_time(61)
        clock.pass_time(30)

    assert [key for key, state in zip(ids, states(store, *ids), strict=True) if state != "posted"] == [ids[5]]
    assert message(store, ids[5]).reason_code == "worker_lost"


def test_lanes_that_the_topology_gained_are_worked_without_a_migration(store: Store) -> None:
    know_items(store)
    line = pipeline(store, {"erp": Books()})
    wider = replace(line.topology.plants["P100"], lanes=64)
    line = replace(line, topology=replace(line.topology, plants={**line.topology.plants, "P100": wider}))
    ids = accept(store, *(move_event(str(number), lot=str(number)) for number in range(30)))
    Relay(line, NoBroker(), 100).tick()

    run_once(line)

    assert states(store, *ids) == ["posted"] * 30
