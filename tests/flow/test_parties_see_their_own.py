"""A supplier and a customer see all that is their own, and never a row of anybody else, whatever the data are."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import insert

from app.access.party_keys import create_party_key, revoke_party_key
from app.access.roles import Role
from app.store.availability_tables import Hold
from app.store.logistics_tables import PurchaseLine, PurchaseOrder, Receipt, Shipment, ShipmentLine
from app.store.session import Store
from app.web.access_acts import make_party_key
from tests.factories import NOON, incoming, know_items, release
from tests.facts import ordered, post, received, shipped
from tests.web import account_for, key_for, web_app

pytestmark = pytest.mark.slow

# Codes that are parts of each other, differ by case, or hold what means something in SQL and JSON.
PARTIES = ["S", "S-1", "s-1", "S-10", "S_1", "S%", "100", "Ünal & Söhne", 'a"b', "O'Neil"]
ITEMS, LOTS, PLANTS = ["WHEEL-10", "BIKE-100"], [f"L{n}" for n in range(12)], ["P100", "P200"]


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    know_items(store)
    return web_app(store, tmp_path).test_client()


def _key(store: Store, kind: Any, party: str) -> dict[str, str]:
    plain, _ = make_party_key(store, "test", kind, party, "ada", NOON)
    return {"Authorization": f"Bearer {plain}"}


def _all(client: FlaskClient, path: str, name: str, headers: dict[str, str], limit: int = 3) -> Iterator[Any]:
    following: str | None = f"{path}?limit={limit}"
    for _ in range(200):
        if following is None:
            return
        answer = client.get(following, headers=headers)
        assert answer.status_code == 200, answer.text
        yield from answer.json[name]
        following = answer.json["next"]
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("seed", [1, 2])
def test_suppliers_see_all_of_their_own_and_nothing_else(store: Store, client: FlaskClient, seed: int) -> None:
    world = _world(random.Random(seed))
    with store.writing() as session:
        for table, rows in world.items():
            session.execute(insert(table), rows)
    owner = {row["code"]: row["supplier"] for row in world[PurchaseOrder]}
    delivered: dict[tuple[str, str, str], set[str | None]] = defaultdict(set)
    for row in world[Receipt]:
        if row["void_at"] is None:
            by = owner.get(row["document_id"]) if row["document_type"] == "purchase_order" else None
            delivered[row["plant"], row["lot"], row["item"]].add(by)

    for party in PARTIES:
        key = _key(store, "supplier", party)
        orders = list(_all(client, "/v1/supplier/purchase-orders", "orders", key))
        receipts = list(_all(client, "/v1/supplier/receipts", "receipts", key))
        holds = list(_all(client, "/v1/supplier/holds", "holds", key))

        assert [row["purchase_order"] for row in orders] == sorted(code for code, by in owner.items() if by == party)
        assert sum(len(row["lines"]) for row in orders) == sum(
            owner[line["purchase_order"]] == party for line in world[PurchaseLine]
        )
        assert sorted(row["reason"] for row in receipts) == sorted(
            row["reason"]
            for row in world[Receipt]
            if row["document_type"] == "purchase_order" and row["void_at"] is None
            if owner.get(row["document_id"]) == party
        )
        assert sorted(row["reason"] for row in holds) == sorted(
            row["reason"] for row in world[Hold] if row["is_open"] and _is_own(row, party, delivered)
        )
        told = json.dumps([orders, receipts, holds], ensure_ascii=False)
        assert not any(f'"{other}"' in told for other in PARTIES if other != party)


def _is_own(hold: dict[str, Any], party: str, delivered: dict[tuple[str, str, str], set[str | None]]) -> bool:
    items = [hold["item"]] if hold["item"] else ITEMS
    known = [delivered[hold["plant"], hold["lot"], item] for item in items if hold["lot"]]
    known = [who for who in known if who]
    return bool(known) and all(who == {party} for who in known)


@pytest.mark.parametrize("seed", [3])
def test_customers_see_all_of_their_own_and_nothing_else(store: Store, client: FlaskClient, seed: int) -> None:
    world = _world(random.Random(seed))
    with store.writing() as session:
        for table, rows in world.items():
            session.execute(insert(table), rows)

    for party in PARTIES:
        key = _key(store, "customer", party)
        own = [row for row in world[Shipment] if row["ship_to"] == party and row["void_at"] is None]
        found = list(_all(client, "/v1/customer/shipments", "deliveries", key))

        assert [row["delivery_id"] for row in found] == [row["delivery_id"] for row in reversed(own)]
        assert sum(len(row["lines"]) for row in found) == sum(
            line["shipment_id"] in {row["id"] for row in own} for line in world[ShipmentLine]
        )


def test_a_supplier_sees_its_order_what_came_of_it_and_what_is_on_hold(store: Store, client: FlaskClient) -> None:
    held = {"event_time": "2026-03-02T10:00:00Z", "item": "WHEEL-10", "lot": "L7", "status": "blocked"}
    post(
        store,
        ordered("o1", ("1", "WHEEL-10", "10")),
        ordered("o2", ("1", "WHEEL-10", "5"), code="46", supplier="S-2"),
        received("r1", "6", rejected="2", lot="L7", reason="bent"),
        received("r2", "5", code="46", lot="L8"),
        incoming("h1", "quality.held.v1", held | {"reason": "cracks"}),
    )
    key = _key(store, "supplier", "S-1")

    (order,) = client.get("/v1/supplier/purchase-orders", headers=key).json["orders"]
    (receipt,) = client.get("/v1/supplier/receipts", headers=key).json["receipts"]
    (hold,) = client.get("/v1/supplier/holds", headers=key).json["holds"]

    (line,) = order["lines"]
    assert (line["ordered"], line["received"], line["rejected"], line["open"]) == ("10", "6", "2", "6")
    assert (receipt["accepted"], receipt["rejected"], receipt["reason"]) == ("4", "2", "bent")
    assert (hold["lot"], hold["item"], hold["status"], hold["reason"]) == ("L7", "WHEEL-10", "blocked", "cracks")


def test_a_customer_sees_the_milestones_of_a_delivery(store: Store, client: FlaskClient) -> None:
    made = {"item": "BIKE-100", "quantity": {"value": "4", "uom": "EA"}, "lot": "B1"}
    data = {"event_time": "2026-03-02T09:30:00Z", "order_id": "1000", "outputs": [made], "final": True}
    post(store, release(), incoming("c1", "production.completed.v1", data))
    post(
        store,
        shipped("s1", "4", "D1", "2026-03-02T11:00:00Z", ship_to="C-1", line={"item": "BIKE-100", "lot": "B1"}),
        shipped("s2", "1", "D2", "2026-03-02T11:30:00Z", ship_to="C-2"),
    )

    (told,) = client.get("/v1/customer/shipments", headers=_key(store, "customer", "C-1")).json["deliveries"]

    assert told["delivery_id"] == "D1"
    assert [(one["milestone"], one["reached"], one["at"]) for one in told["milestones"]] == [
        ("released", True, "2026-03-02T12:00:00.000Z"),
        ("produced", True, "2026-03-02T09:30:00.000Z"),
        ("packed", False, None),
        ("shipped", True, "2026-03-02T11:00:00.000Z"),
    ]
    assert told["lines"][0]["quantity"] == {"value": "4", "uom": "EA"}


def test_a_partys_key_opens_its_own_view_and_no_other_route(store: Store, client: FlaskClient) -> None:
    supplier, customer = _key(store, "supplier", "S-1"), _key(store, "customer", "S-1")

    for path in ("/v1/inventory", "/v1/events", "/v1/webhooks", "/v1/messages/1", "/v1/customer/shipments", "/metrics"):
        assert client.get(path, headers=supplier).status_code == 403, path
    assert client.post("/v1/messages", json={}, headers=supplier).status_code == 403
    assert client.get("/v1/supplier/holds", headers=customer).status_code == 403
    assert client.get("/v1/supplier/holds", headers=key_for(store)).status_code == 403
    assert client.get("/v1/supplier/holds?supplier=S-2", headers=supplier).status_code == 403
    assert client.get("/v1/supplier/holds", headers={"Authorization": "Bearer lp_" + "x" * 43}).status_code == 401


def test_a_revoked_key_is_good_for_nothing_at_once(store: Store, client: FlaskClient) -> None:
    with store.writing() as session:
        plain, key_id = create_party_key(session, "test", "supplier", "S-1", NOON)
    headers = {"Authorization": f"Bearer {plain}"}
    before = client.get("/v1/supplier/holds", headers=headers).status_code
    with store.writing() as session:
        assert revoke_party_key(session, key_id, NOON)

    assert (before, client.get("/v1/supplier/holds", headers=headers).status_code) == (200, 401)


def test_an_account_names_the_party_that_it_looks_at(store: Store, client: FlaskClient) -> None:
    post(store, ordered("o1", ("1", "WHEEL-10", "10")))
    viewer = account_for(store, Role.VIEWER)

    assert client.get("/v1/supplier/purchase-orders", headers=viewer).status_code == 422
    named = client.get("/v1/supplier/purchase-orders?supplier=S-1", headers=viewer)
    assert [row["purchase_order"] for row in named.json["orders"]] == ["45"]


def _world(chance: random.Random) -> dict[Any, list[dict[str, Any]]]:
    """Orders, receipts, holds and shipments of all parties in a heap; ``reason`` numbers rows, to know each by."""
    return {**_bought(chance), **_shipped(chance)}


ONE, INSTANTS = Decimal(1), {"happened_at": NOON, "entered_at": NOON}


def _bought(chance: random.Random) -> dict[Any, list[dict[str, Any]]]:
    one, instants = ONE, INSTANTS
    orders = [
        {
            "code": f"PO-{n}",
            "plant": chance.choice(PLANTS),
            "supplier": chance.choice([*PARTIES, None]),
            "is_open": n % 2 == 0,
        }
        for n in range(40)
    ]
    lines = [
        {
            "purchase_order": row["code"],
            "line": str(n),
            "number": n,
            "plant": row["plant"],
            "item": chance.choice(ITEMS),
        }
        | {"uom": "EA", "ordered": one, "received": one, "rejected": one, "open": one}
        for row in orders
        for n in range(chance.randint(1, 3))
    ]
    receipts = [
        {"plant": chance.choice(PLANTS), "message_id": n, "event_index": 0, "item": chance.choice(ITEMS), "uom": "EA"}
        | {
            "document_type": chance.choice(["purchase_order"] * 4 + ["delivery"]),
            "document_id": f"PO-{chance.randint(0, 44)}",
        }
        | {
            "received": one,
            "accepted": one,
            "rejected": one,
            "lot": chance.choice([*LOTS, ""]),
            "storage": "",
            "line": None,
        }
        | {"reason": f"r{n}", "void_at": NOON if chance.random() < 0.2 else None, **instants}
        for n in range(60)
    ]
    holds = [
        {"plant": chance.choice(PLANTS), "item": chance.choice([*ITEMS, ""]), "lot": chance.choice([*LOTS, ""])}
        | {"serial": "", "message_id": n, "event_index": 0, "line": 0, "status": "blocked", "reason": f"h{n}"}
        | {"is_open": chance.random() < 0.7, "void_at": None, **instants}
        for n in range(60)
    ]
    return {PurchaseOrder: orders, PurchaseLine: lines, Receipt: receipts, Hold: holds}


def _shipped(chance: random.Random) -> dict[Any, list[dict[str, Any]]]:
    one, instants = ONE, INSTANTS
    shipments = [
        {
            "id": n,
            "plant": chance.choice(PLANTS),
            "delivery_id": f"D{n}",
            "message_id": n,
            "event_index": 0,
            "packages": [],
        }
        | {"ship_to": chance.choice([*PARTIES, None]), "to_plant": "", "on_way": False, "arrived_at": None}
        | {"void_at": NOON if chance.random() < 0.2 else None, **instants, "happened_at": NOON + timedelta(minutes=n)}
        for n in range(1, 60)
    ]
    shipped_lines = [
        {"shipment_id": row["id"], "number": n, "sscc": "", "item": chance.choice(ITEMS), "uom": "EA", "quantity": one}
        | {"lot": chance.choice([*LOTS, ""]), "serials": [], "order_ref": None}
        for row in shipments
        for n in range(chance.randint(1, 3))
    ]
    return {Shipment: shipments, ShipmentLine: shipped_lines}
