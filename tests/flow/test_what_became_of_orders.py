"""A production order is what its release planned and its reports come to, each of which names its message."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from app.dead_letters.reversal import reverse
from app.projections.order_lists import OrderPicture, list_reports
from app.projections.projector import project, rebuild
from app.store.session import Store
from mappings.context import Event
from mappings.formats import json_body
from mappings.registry import INBOUND, InboundMapping
from tests.factories import NOON, accept, completion, incoming, know_items, pipeline, release, run_once
from tests.fakes import Books
from tests.reading import message, projected_orders

AT = "2026-03-02T10:00:00Z"


def _work(store: Store, *messages: Any) -> list[int]:
    line = pipeline(store, {"erp": Books()})
    ids = accept(store, *messages)
    for _ in range(3):
        run_once(line)
    return ids


def _issue(message_id: str, amount: str, at: str = AT, uom: str = "EA") -> Any:
    parts = [{"item": "WHEEL-10", "quantity": {"value": amount, "uom": uom}, "lot": "L1"}]
    return incoming(message_id, "material.issued.v1", {"event_time": at, "order_id": "1000", "components": parts})


def _scrap(message_id: str, amount: str) -> Any:
    data = {"order_id": "1000", "item": "BIKE-100", "quantity": {"value": amount, "uom": "EA"}, "reason": "bent"}
    return incoming(message_id, "production.scrapped.v1", {"event_time": AT, **data})


def _final(message_id: str, at: str) -> Any:
    data = {"event_time": at, "order_id": "1000", "outputs": [], "final": True}
    return incoming(message_id, "production.completed.v1", data)


def _one(store: Store) -> OrderPicture:
    (picture,) = projected_orders(store)
    return picture


def _told(picture: OrderPicture) -> tuple[object, ...]:
    sums = {one.item: (one.produced, one.consumed, one.scrapped, one.uom) for one in picture.items}
    assert picture.progress is not None
    moments = (picture.progress.started_at, picture.progress.reported_at, picture.progress.ended_at)
    return picture.status, picture.completed, picture.scrapped, picture.remaining, sums, moments


def test_an_order_is_what_was_planned_and_what_was_reported(store: Store) -> None:
    know_items(store)
    ids = _work(store, release(), _issue("i1", "1", uom="BOX"), completion(quantity="4"), _scrap("s1", "1"))

    order = _one(store)

    assert (order.order.planned, order.completed, order.scrapped, order.remaining) == (10, 4, 1, 6)
    assert {one.item: (one.produced, one.consumed, one.scrapped) for one in order.items} == {
        "BIKE-100": (4, 0, 1),
        "WHEEL-10": (0, 10, 0),
    }
    with store.reading() as session:
        reports = list_reports(session, "P100", "1000", 10)
    assert [(one.message_id, one.kind, one.quantity, one.lot, one.reason) for one in reports] == [
        (ids[3], "scrapped", 1, None, "bent"),
        (ids[2], "produced", 4, None, None),
        (ids[1], "consumed", 10, "L1", None),
    ]


def test_an_order_is_released_started_and_completed_and_late_after_its_planned_end(store: Store) -> None:
    know_items(store)
    _work(store, release())
    stages = [_one(store)]
    _work(store, completion(quantity="4"))
    stages.append(_one(store))
    _work(store, _final("f1", "2026-03-02T16:30:00Z"))
    stages.append(_one(store))

    assert [stage.status for stage in stages] == ["released", "started", "completed"]
    assert [stage.remaining for stage in stages] == [10, 6, 0]
    assert [stage.late_seconds(NOON) for stage in stages] == [None, None, 1800]
    assert stages[1].late_seconds(NOON.replace(hour=17)) == 3600


def test_what_is_reversed_counts_no_more_in_its_order(store: Store) -> None:
    know_items(store)
    ids = _work(store, release(), completion(quantity="4"), _final("f1", "2026-03-02T15:00:00Z"))
    before = _one(store)
    line = pipeline(store, {"erp": Books()})
    with store.writing() as session:
        reverse(session, ids[2], "closed by mistake", "ada", NOON, line.topology.lanes_of)
    run_once(line)

    after = _one(store)

    assert (before.status, after.status) == ("completed", "started")
    assert after.remaining == 6
    with store.reading() as session:
        reports = list_reports(session, "P100", "1000", 10)
    assert [(one.kind, one.void_at is not None) for one in reports] == [("ended", True), ("produced", False)]


def test_built_anew_orders_say_the_same(store: Store) -> None:
    know_items(store)
    reports = [completion(f"c{number}", quantity="0.5", at=f"2026-03-02T09:{number:02}:00Z") for number in range(30)]
    ids = _work(store, release(), *reports, _issue("i1", "3"), _scrap("s1", "2"), _final("f1", "2026-03-02T11:00:00Z"))
    line = pipeline(store, {"erp": Books()})
    with store.writing() as session:
        reverse(session, ids[1], "counted twice", "ada", NOON, line.topology.lanes_of)
    run_once(line)
    before = _told(_one(store))

    rebuild(store, NOON)
    assert not project(store, lambda: NOON, 30.0).goes_on

    assert _told(_one(store)) == before
    assert before[1] == Decimal("14.5")


def test_a_message_that_brings_the_release_of_what_it_reports_waits_for_no_other(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    know_items(store)
    released, made = release(order="2000"), completion("c9", order="2000")

    def to_canonical(_payload: Any, _context: Any) -> list[Event]:
        return [Event(made.type, json.loads(made.body)), Event(released.type, json.loads(released.body))]

    monkeypatch.setitem(INBOUND, ("canonical", "work.order"), InboundMapping(json_body.read, to_canonical))

    (row,) = _work(store, incoming("w1", "work.order", {}))

    assert message(store, row).state == "posted"
    assert (_one(store).status, _one(store).completed, _one(store).remaining) == ("started", 4, 6)
