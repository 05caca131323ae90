"""A planner sees in the console what is owed, what is on its way and in which state machines are, with the messages."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.reconcile.compare import Balance
from app.reconcile.snapshots import save_snapshot
from app.store.session import Store
from tests.factories import NOON, know_items
from tests.facts import ordered, post, received, shipped, state
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    know_items(sqlite_store)
    account_for(sqlite_store, Role.VIEWER)
    post(
        sqlite_store,
        ordered("p1", ("1", "WHEEL-10", "10"), code="45/<ä>"),
        received("g1", "4", rejected="1", lot="L1", code="45/<ä>"),
        shipped("s1", "3", carrier="Carrier & Sons", line={"lot": "L1"}),
        shipped("s2", "1", "D2", ship_to="C-7", line={"lot": "L1"}),
        state("e1", "RUN", "2026-03-02T08:00:00Z"),
        state("e2", "DOWN", "2026-03-02T09:30:00Z", reason="<belt>", **{"from": "SETUP"}),
    )
    with sqlite_store.writing() as session:
        balance = Balance("P100", "WHEEL-10", "", "", Decimal(7), "EA")
        save_snapshot(session, "erp", NOON - timedelta(hours=1), "read", "ada", [balance])
    client = web_app(sqlite_store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def test_a_purchase_order_leads_to_its_lines_its_receipts_and_its_message(client: FlaskClient) -> None:
    listed = client.get("/purchase-orders?status=partly_received").text
    shown = client.get("/purchase-orders/45/%3C%C3%A4%3E").text

    assert '<a class="code" href="/purchase-orders/45/%3C%C3%A4%3E">45/&lt;ä&gt;</a>' in listed
    assert 'href="/messages/1"' in shown
    assert 'href="/messages/2"' in shown
    assert [f'<td class="num">{value}</td>' in shown for value in ("10", "4", "1", "7")] == [True] * 4
    assert client.get("/purchase-orders/99").status_code == 404
    assert "No purchase order matches" in client.get("/purchase-orders?supplier=S-9").text


def test_a_receipt_leads_to_its_order(client: FlaskClient) -> None:
    receipts = client.get("/receipts?lot=L1").text

    assert 'href="/purchase-orders/45/%3C%C3%A4%3E"' in receipts
    assert '<td class="code">S-1</td>' in receipts


def test_a_shipment_says_where_it_goes_and_whether_it_has_come(client: FlaskClient) -> None:
    under_way = client.get("/shipments?in_transit=true").text
    shown = client.get("/shipments/1").text

    assert ("D1" in under_way, "D2" in under_way, "Carrier &amp; Sons" in under_way) == (True, False, True)
    assert "in transit" in shown
    assert '<td class="num">0</td>' in shown
    assert client.get("/shipments/99").status_code == 404


def test_an_item_shows_what_is_on_its_way_on_order_and_what_systems_say(client: FlaskClient) -> None:
    sent, goal = client.get("/inventory/P100/WHEEL-10").text, client.get("/inventory/P200/WHEEL-10").text

    assert '<a href="/purchase-orders?item=WHEEL-10">7 EA</a>' in sent
    assert 'aria-label="By system"' in sent
    assert '<td class="num bad">7</td>' in sent  # the ledger says that none is left
    assert "<dt>In transit to it</dt><dd>3 EA</dd>" in goal
    assert "delivery:D1" in goal


def test_a_lot_shows_from_whom_it_came_and_to_whom_it_went(client: FlaskClient) -> None:
    shown = client.get("/lots/trace?item=WHEEL-10&lot=L1").text

    assert '<dt>Suppliers</dt><dd class="code">S-1</dd>' in shown
    assert '<dt>Customers</dt><dd class="code">C-7</dd>' in shown


def test_equipment_shows_its_state_and_where_a_message_is_missing(client: FlaskClient) -> None:
    listed = client.get("/equipment?plant=P100").text
    shown = client.get("/equipment/P100/PRESS-1").text

    assert ('href="/equipment/P100/PRESS-1"' in listed, "&lt;belt&gt;" in listed) == (True, True)
    assert "a message is missing" in shown
    assert 'href="/messages/6"' in shown
    assert client.get("/equipment/P100/NONE").status_code == 404
