"""A warehouse sees what is to be put away, and from where what orders need may be picked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.store.session import Store
from tests.factories import demo_topology, incoming, know_items, move_event, release
from tests.facts import ea, post, received
from tests.web import account_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    know_items(store)
    plants = dict(demo_topology().plants)
    plants["P100"] = replace(plants["P100"], options={"receiving": ["DOCK", "DOCK-2"]})
    client = web_app(store, tmp_path, replace(demo_topology(), plants=plants)).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = account_for(store, Role.VIEWER)["Authorization"]
    return client


def _needing(order: str, quantity: str) -> Any:
    one = release(f"r{order}", order)
    data = {
        "event_time": "2026-03-02T08:00:00Z",
        "order_id": order,
        "item": "BIKE-100",
        "quantity": ea("10"),
        "start": "2026-03-02T08:00:00Z",
        "end": "2026-03-02T16:00:00Z",
        "materials": [{"item": "WHEEL-10", "quantity": ea(quantity)}],
    }
    return incoming(one.source_message_id, one.type, data)


def _at(storage: str) -> dict[str, str]:
    return {"storage": storage}


def test_what_was_received_is_to_be_put_away_until_its_move_was_reported(store: Store, client: FlaskClient) -> None:
    first, _ = post(
        store,
        received("r1", "6", lot="L1", location=_at("DOCK")),
        received("r2", "3", lot="L2", location=_at("SHELF")),
    )
    before = client.get("/v1/warehouse/put-away?plant=P100").json
    move = {"event_time": "2026-03-02T10:00:00Z", "item": "WHEEL-10", "lot": "L1", "quantity": ea("6")}
    post(store, incoming("m1", "inventory.moved.v1", move | {"from": _at("DOCK"), "to": _at("SHELF")}))

    (task,) = before["tasks"]
    assert (task["storage"], task["lot"], task["quantity"]) == ("DOCK", "L1", {"value": "6", "uom": "EA"})
    assert (task["message_id"], task["document"]) == (first, "purchase_order:45:1")
    assert client.get("/v1/warehouse/put-away?plant=P100").json["tasks"] == []


def test_put_away_tasks_are_paged_to_their_end(store: Store, client: FlaskClient) -> None:
    docks = ["DOCK", "DOCK-2"]
    post(store, *(received(f"r{n}", "1", lot=f"L{n}", location=_at(docks[n % 2])) for n in range(5)))

    lots, following = [], "/v1/warehouse/put-away?plant=P100&limit=2"
    while following:
        page = client.get(following).json
        lots += [task["lot"] for task in page["tasks"]]
        following = page["next"]

    assert sorted(lots) == [f"L{n}" for n in range(5)]


def test_the_lot_that_came_first_is_picked_first_also_where_it_was_moved_since(
    store: Store, client: FlaskClient
) -> None:
    move = {"event_time": "2026-03-02T11:00:00Z", "item": "WHEEL-10", "lot": "OLD", "quantity": ea("3")}
    post(
        store,
        received("r1", "3", lot="OLD", location=_at("DOCK"), at="2026-03-01T08:00:00Z"),
        received("r2", "9", lot="NEW", location=_at("SHELF"), at="2026-03-02T08:00:00Z"),
        incoming("m1", "inventory.moved.v1", move | {"from": _at("DOCK"), "to": _at("SHELF")}),
        _needing("1000", "5"),
        _needing("1001", "9"),
    )

    first, second = client.get("/v1/warehouse/picks?plant=P100").json["tasks"]

    assert [(pick["lot"], pick["storage"], pick["quantity"]) for pick in first["picks"]] == [
        ("OLD", "SHELF", "3"),
        ("NEW", "SHELF", "2"),
    ]
    assert (first["order_id"], first["needed"], first["short"]) == ("1000", "5", "0")
    assert [(pick["lot"], pick["quantity"]) for pick in second["picks"]] == [("NEW", "7")]
    assert second["short"] == "2"


def test_what_is_on_hold_or_not_unrestricted_is_not_picked(store: Store, client: FlaskClient) -> None:
    held = {
        "event_time": "2026-03-02T10:00:00Z",
        "item": "WHEEL-10",
        "lot": "HELD",
        "status": "blocked",
        "reason": "cracks",
    }
    post(
        store,
        received("r1", "3", lot="HELD", location=_at("SHELF"), at="2026-03-01T08:00:00Z"),
        received("r2", "4", lot="BENT", rejected="4", location=_at("SHELF")),
        received("r3", "2", lot="GOOD", location=_at("SHELF")),
        incoming("h1", "quality.held.v1", held),
        _needing("1000", "5"),
    )

    (task,) = client.get("/v1/warehouse/picks?plant=P100&order_id=1000").json["tasks"]

    assert [(pick["lot"], pick["quantity"]) for pick in task["picks"]] == [("GOOD", "2")]
    assert task["short"] == "3"


def test_pick_tasks_are_paged_by_order(store: Store, client: FlaskClient) -> None:
    post(store, *(_needing(str(number), "1") for number in range(1000, 1005)), move_event())

    orders, following = [], "/v1/warehouse/picks?plant=P100&limit=2"
    while following:
        page = client.get(following).json
        orders += [task["order_id"] for task in page["tasks"]]
        following = page["next"]

    assert orders == [str(number) for number in range(1000, 1005)]


@pytest.mark.parametrize("path", ["put-away", "picks", "picks?plant=P999", "put-away?plant=P100&after=x"])
def test_what_cannot_be_meant_is_refused(client: FlaskClient, path: str) -> None:
    assert client.get(f"/v1/warehouse/{path}").status_code == 422
