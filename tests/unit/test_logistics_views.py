"""Purchase orders, receipts, shipments and what is on its way over the API."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.store.session import Store
from tests.factories import know_items
from tests.facts import ea, ordered, post, received, shipped
from tests.web import account_for, key_for, log_in, web_app

pytestmark = pytest.mark.slow

SSCC = "340123450000000017"
NEEDED = "2026-03-02T11:00:00Z"


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    know_items(store)
    account_for(store, Role.VIEWER)
    needed = [{"line": "1", "item": "WHEEL-10", "quantity": ea("10"), "need_by": NEEDED}]
    packed = {"packages": [{"sscc": SSCC, "lines": [{"item": "BIKE-100", "quantity": ea("1"), "lot": "B/1"}]}]}
    post(
        store,
        ordered("p1", ("1", "WHEEL-10", "10"), lines=needed),
        ordered("p2", ("1", "BIKE-100", "2"), code="46/ä", supplier="S-2"),
        received("g1", "4", rejected="1", lot="L1"),
        received("g2", "2", "1", code="46/ä", item="BIKE-100", lot="B/1"),
        received("g3", "1", None, code="47"),
        shipped("s1", "3"),
        shipped("s2", "2", "D2", ship_to="C-7", carrier="DHL <x>", lines=[], **packed),
    )
    post(store, received("g4", "1", None, code="D1", kind="delivery", plant="P200"))
    client = web_app(store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def pages(client: FlaskClient, path: str, name: str) -> list[dict[str, Any]]:
    """Every row, one a page."""
    rows: list[dict[str, Any]] = []
    following: str | None = f"/v1/{path}{'&' if '?' in path else '?'}limit=1"
    while following is not None:
        answer = client.get(following)
        assert answer.status_code == 200, answer.text
        assert len(answer.json[name]) <= 1
        rows += answer.json[name]
        following = answer.json["next"]
        assert len(rows) < 20
    return rows


PURCHASES = {
    "": ["45", "46/ä", "47"],
    "?supplier=S-2": ["46/ä"],
    "?item=WHEEL-10": ["45"],
    "?status=partly_received": ["45"],
    "?status=received": ["46/ä"],
    "?status=unplaced": ["47"],
    "?status=placed": [],
    "?late=true": ["45"],
    "?plant=P200": [],
}


def test_purchase_orders_are_found_by_who_what_and_how_far(client: FlaskClient) -> None:
    found = {
        query: [row["purchase_order"] for row in pages(client, f"purchase-orders{query}", "purchase_orders")]
        for query in PURCHASES
    }

    assert found == PURCHASES


def test_a_purchase_order_says_what_is_open_and_names_its_message_and_its_receipts(client: FlaskClient) -> None:
    order = client.get("/v1/purchase-orders/45").json
    line = {"ordered": "10", "received": "4", "rejected": "1", "open": "7"}
    receipts = pages(client, "receipts?purchase_order=45", "receipts")
    unknown = client.get("/v1/purchase-orders/99")

    assert line.items() <= order["lines"][0].items()
    assert (order["status"], order["late"], order["need_by_at"]) == (
        "partly_received",
        True,
        "2026-03-02T11:00:00.000Z",
    )
    assert client.get(f"/v1/messages/{order['message_id']}").json["source_message_id"] == "p1"
    assert [(row["received"], row["rejected"], row["supplier"]) for row in receipts] == [("4", "1", "S-1")]
    assert client.get("/v1/purchase-orders/46/%C3%A4").json["status"] == "received"
    assert unknown.status_code == 404


RECEIPTS = {
    "": ["D1", "47", "46/ä", "45"],
    "?plant=P200": ["D1"],
    "?lot=L1": ["45"],
    "?item=BIKE-100": ["46/ä"],
    "?document_id=D1": ["D1"],
    "?purchase_order=D1": [],
}


def test_receipts_are_found_by_place_goods_and_document(client: FlaskClient) -> None:
    found = {
        query: [row["document"]["id"] for row in pages(client, f"receipts{query}", "receipts")] for query in RECEIPTS
    }

    assert found == RECEIPTS


SHIPMENTS = {
    "": ["D2", "D1"],
    "?in_transit=true": ["D1"],
    "?to_plant=P200": ["D1"],
    "?ship_to=C-7": ["D2"],
    "?item=WHEEL-10": ["D1"],
    "?lot=B/1&plant=P100": ["D2"],
    f"?sscc={SSCC}": ["D2"],
    "?delivery_id=D3": [],
}


def test_shipments_are_found_by_place_goods_and_package(client: FlaskClient) -> None:
    found = {
        query: [row["delivery_id"] for row in pages(client, f"shipments{query}", "shipments")] for query in SHIPMENTS
    }

    assert found == SHIPMENTS


def test_a_shipment_says_how_much_of_each_line_has_come(client: FlaskClient) -> None:
    to_customer, to_plant = client.get("/v1/shipments").json["shipments"]

    whole = client.get(f"/v1/shipments/{to_plant['id']}").json

    assert (to_customer["state"], to_customer["packages"], to_customer["carrier"]) == ("shipped", [SSCC], "DHL <x>")
    assert (whole["state"], whole["to_plant"], whole["lines"][0]["arrived"]) == ("in_transit", "P200", "1")
    assert client.get("/v1/shipments/999").status_code == 404
    assert client.get(f"/v1/shipments/{10**30}").status_code == 404


def test_inventory_tells_what_is_on_its_way_and_what_is_on_order_beside_what_is_there(client: FlaskClient) -> None:
    rows = client.get("/v1/inventory?item=WHEEL-10&fields=plant,on_hand,in_transit,on_order").json["inventory"]
    transits = pages(client, "inventory/in-transit?to_plant=P200", "in_transit")
    none = pages(client, "inventory/in-transit?to_plant=P100", "in_transit")

    assert rows == [
        {"plant": "P100", "on_hand": "2", "in_transit": "0", "on_order": "7"},
        {"plant": "P200", "on_hand": "1", "in_transit": "2", "on_order": "0"},
    ]
    assert [(row["from_plant"], row["quantity"]["value"], row["document"]) for row in transits] == [
        ("P100", "2", "delivery:D1")
    ]
    assert transits[0]["since_at"] == "2026-03-02T09:00:00.000Z"
    assert none == []


def test_lots_tell_where_they_are_from_whom_they_came_and_to_whom_they_went(client: FlaskClient) -> None:
    rows = pages(client, "lots", "lots")
    there = pages(client, "lots?there=true&plant=P100&item=BIKE-100", "lots")
    trace = client.get("/v1/lots/B/1/trace").json["lots"][0]

    assert [(row["lot"], row["item"], row["suppliers"], row["customers"]) for row in rows] == [
        ("B/1", "BIKE-100", ["S-2"], ["C-7"]),
        ("L1", "WHEEL-10", ["S-1"], []),
    ]
    assert rows[1]["on_hand"] == [{"value": "4", "uom": "EA"}]
    assert [(place["status"], place["quantity"]["value"]) for place in rows[1]["places"]] == [
        ("blocked", "1"),
        ("unrestricted", "3"),
    ]
    assert [row["lot"] for row in there] == ["B/1"]
    assert (trace["suppliers"], trace["customers"]) == (["S-2"], ["C-7"])


LISTS = ("purchase-orders", "receipts", "shipments", "inventory/in-transit", "lots", "items", "boms", "equipment")


def test_an_answer_that_is_as_before_is_not_sent_again_and_says_how_far_it_is_behind(client: FlaskClient) -> None:
    for path in LISTS:
        first = client.get(f"/v1/{path}")
        again = client.get(f"/v1/{path}", headers={"If-None-Match": first.headers["ETag"]})

        assert (first.status_code, again.status_code, first.json["behind"]["messages"]) == (200, 304, 0)


def test_a_field_that_is_not_there_is_refused_and_a_source_sees_none(client: FlaskClient, store: Store) -> None:
    strange = [client.get(f"/v1/{path}?fields=colour") for path in LISTS]
    client.get("/logout")
    source = key_for(store)

    assert {(answer.status_code, answer.json["errors"][0]["place"]) for answer in strange} == {(422, "query fields")}
    assert {client.get(f"/v1/{path}", headers=source).status_code for path in LISTS} == {403}
