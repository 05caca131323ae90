"""Quality holds over the API and in the console."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.projections.effects import note_effects
from app.projections.holds import HoldLine, Subject, enter_holds, void_holds
from app.projections.ledger import Entry, enter
from app.projections.movements import Kind, Leg, Place
from app.projections.order_needs import Release, enter_releases, settle_needs
from app.projections.production_orders import open_orders
from app.store.reference_tables import ProductionOrder
from app.store.session import Store
from mappings.units import Quantity
from tests.factories import NOON
from tests.web import account_for, key_for, log_in, web_app

pytestmark = pytest.mark.slow

LOT = Subject("P100", "WHEEL-10", "L/1 <ä>")
HOLDS = (
    HoldLine(11, 0, 0, LOT, "blocked", NOON, "crack & dent", "inspection:4711:10", Quantity(Decimal("2.5"), "EA")),
    HoldLine(12, 0, 0, Subject("P100", lot="L2"), "quality", NOON, "holding"),
    HoldLine(13, 0, 0, Subject("P200", "WHEEL-10"), "blocked", NOON, "recall"),
    HoldLine(14, 0, 0, Subject("P100", "BIKE-100", serial="S1"), "blocked", NOON, "bent"),
    HoldLine(15, 0, 0, Subject("P100", "BIKE-100", serial="S1"), "unrestricted", NOON),
    HoldLine(16, 0, 0, Subject("P100", "BIKE-100"), "blocked", NOON, "by mistake"),
)
MOVED = (("P100", LOT.lot, "7"), ("P100", "L2", "1"), ("P200", LOT.lot, "4"))


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    account_for(store, Role.VIEWER)
    entries = [
        Entry(n, 0, 0, Leg(Place(plant, "WHEEL-10", "EA", lot=lot), Kind.RECEIVED, Decimal(amount)), NOON)
        for n, (plant, lot, amount) in enumerate(MOVED, start=1)
    ]
    order = ("P100", "1000/ä")
    with store.writing() as session:
        enter(session, entries, NOON)
        enter_holds(session, HOLDS, NOON)
        void_holds(session, {16}, NOON)
        open_orders(session, {order}, NOON)
        session.get_one(ProductionOrder, order).released_message_id = 20
        session.flush()
        enter_releases(session, [Release(20, order, {("WHEEL-10", "EA"): Decimal("5.5")})])
        settle_needs(session, {order})
    client = web_app(store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def _ids(client: FlaskClient, query: str) -> list[int]:
    """The messages of every page, one row a page."""
    found: list[int] = []
    following: str | None = f"/v1/quality-holds?limit=1{query}"
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        found += [row["message_id"] for row in answer.json["quality_holds"]]
        following = answer.json["next"]
        assert len(found) < 20
    return found


@pytest.mark.parametrize(
    ("query", "messages"),
    [
        ("", [16, 15, 14, 13, 12, 11]),
        ("&open=true", [13, 12, 11]),
        ("&open=false", [16, 15, 14]),
        ("&open=true&plant=P100", [12, 11]),
        ("&item=WHEEL-10", [13, 11]),
        ("&item=&open=true", [12]),
        ("&lot=L/1%20%3C%C3%A4%3E", [11]),
        ("&lot=&plant=P200", [13]),
    ],
)
def test_holds_are_found_by_plant_item_lot_and_whether_they_are_open(
    client: FlaskClient, query: str, messages: list[int]
) -> None:
    assert _ids(client, query) == messages


def test_a_hold_says_what_is_held_and_why_and_names_its_message(client: FlaskClient) -> None:
    held: dict[str, Any] = client.get("/v1/quality-holds?lot=L/1%20%3C%C3%A4%3E").json["quality_holds"][0]
    wide = client.get("/v1/quality-holds?open=true&lot=").json["quality_holds"][0]
    reversed_one = client.get("/v1/quality-holds?limit=1&fields=message_id,void_at").json["quality_holds"]

    del held["id"]
    assert held == {
        "message_id": 11,
        "event_index": 0,
        "plant": "P100",
        "item": "WHEEL-10",
        "lot": "L/1 <ä>",
        "serial": None,
        "status": "blocked",
        "reason": "crack & dent",
        "inspection_ref": "inspection:4711:10",
        "quantity": {"value": "2.5", "uom": "EA"},
        "open": True,
        "happened_at": "2026-03-02T12:00:00.000Z",
        "entered_at": "2026-03-02T12:00:00.000Z",
        "void_at": None,
    }
    assert (wide["plant"], wide["lot"], wide["quantity"]) == ("P200", None, None)
    assert reversed_one == [{"message_id": 16, "void_at": "2026-03-02T12:00:00.000Z"}]


def test_an_answer_that_is_as_before_is_not_sent_again_and_says_how_far_it_is_behind(
    client: FlaskClient, store: Store
) -> None:
    first = client.get("/v1/quality-holds")
    asking = {"If-None-Match": first.headers["ETag"]}

    again = client.get("/v1/quality-holds", headers=asking)
    with store.writing() as session:
        note_effects(session, [17], NOON)
    changed = client.get("/v1/quality-holds", headers=asking)

    assert (again.status_code, first.json["behind"]["messages"]) == (304, 0)
    assert (changed.status_code, changed.json["behind"]["messages"]) == (200, 1)


@pytest.mark.parametrize("name", ["open=perhaps", "limit=0", "before=x", "fields=colour"])
def test_what_cannot_be_asked_is_refused_by_its_name(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/v1/quality-holds?{name}")

    assert (answer.status_code, answer.json["errors"][0]["place"]) == (422, f"query {name.partition('=')[0]}")


def test_the_inventory_says_what_is_available(client: FlaskClient) -> None:
    wanted = "fields=plant,unrestricted,on_hold,reserved,available&item=WHEEL-10"

    rows = client.get(f"/v1/inventory?{wanted}").json["inventory"]

    assert rows == [
        {"plant": "P100", "unrestricted": "8", "on_hold": "3.5", "reserved": "5.5", "available": "-1"},
        {"plant": "P200", "unrestricted": "4", "on_hold": "4", "reserved": "0", "available": "0"},
    ]


def test_a_lots_trace_tells_the_open_holds_over_it_and_those_of_its_item_where_it_is(client: FlaskClient) -> None:
    first = client.get("/v1/lots/L/1%20%3C%C3%A4%3E/trace").json["lots"][0]
    second = client.get("/v1/lots/L2/trace").json["lots"][0]

    assert [(hold["message_id"], hold["plant"]) for hold in first["holds"]] == [(11, "P100"), (13, "P200")]
    assert [(hold["message_id"], hold["happened_at"]) for hold in second["holds"]] == [(12, "2026-03-02T12:00:00.000Z")]


def test_a_lot_of_which_only_a_hold_told_is_traced(client: FlaskClient, store: Store) -> None:
    with store.writing() as session:
        enter_holds(session, [HoldLine(18, 0, 0, Subject("P100", "RIM-1", "L9"), "blocked", NOON)], NOON)

    answer = client.get("/v1/lots/L9/trace")

    assert [[hold["message_id"] for hold in lot["holds"]] for lot in answer.json["lots"]] == [[18]]


def test_the_console_shows_what_keeps_an_item_from_being_used(client: FlaskClient) -> None:
    listed = client.get("/inventory?plant=P100&item=WHEEL-10").text
    shown = client.get("/inventory/P100/WHEEL-10").text

    assert '<td class="num bad">\u22121</td>' in listed
    assert "<dt>On hold</dt><dd>3.5 EA</dd>" in shown
    assert '<a class="code" href="/orders/P100/1000/%C3%A4">1000/ä</a>' in shown
    assert [f'href="/messages/{number}"' in shown for number in (11, 12, 13, 14)] == [True, True, False, False]
    assert "crack &amp; dent" in shown
    assert "inspection:4711:10" in shown


def test_the_console_shows_a_lots_open_holds(client: FlaskClient) -> None:
    held = client.get("/lots/trace?item=WHEEL-10&lot=L2").text
    free = client.get("/lots/trace?item=WHEEL-10&lot=L3")

    assert 'aria-label="Open holds"' in held
    assert 'href="/messages/12"' in held
    assert free.status_code == 404


def test_a_source_sees_no_holds(client: FlaskClient, store: Store) -> None:
    client.get("/logout")

    assert client.get("/v1/quality-holds", headers=key_for(store)).status_code == 403
