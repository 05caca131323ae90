"""Stock in the console."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.projections.effects import note_effects
from app.projections.ledger import Entry, enter, void
from app.projections.movements import Kind, Leg, Place
from app.store.session import Store
from tests.factories import NOON
from tests.web import account_for, log_in, web_app

ODD = Place("P100", "A/B 1", "EA", "<ST>", lot="L&1")


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    account_for(sqlite_store, Role.VIEWER)
    entries = [
        Entry(11, 0, 0, Leg(ODD, Kind.ADJUSTED, Decimal("-1234567.5")), NOON, reason="found"),
        Entry(12, 0, 0, Leg(ODD, Kind.COUNTED, Decimal(7), is_count=True), NOON),
        Entry(13, 0, 0, Leg(ODD, Kind.PRODUCED, Decimal(3)), NOON, order_id="1000"),
    ]
    with sqlite_store.writing() as session:
        enter(session, entries, NOON)
        void(session, [13], NOON)
    client = web_app(sqlite_store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def test_a_number_leads_to_its_places_movements_and_messages(client: FlaskClient) -> None:
    listed = client.get("/inventory?plant=P100").text
    shown = client.get("/inventory/P100/A/B%201").text

    assert '<a class="code" href="/inventory/P100/A/B%201">A/B 1</a>' in listed
    assert "&lt;ST&gt;" in shown
    assert "L&amp;1" in shown
    assert "\u22121\u202f234\u202f567.5" in shown
    assert "(7 found)" in shown
    assert 'class="void"' in shown
    assert [f'href="/messages/{number}"' in shown for number in (11, 12, 13)] == [True, True, True]


def test_a_page_says_how_far_it_is_behind(client: FlaskClient, sqlite_store: Store) -> None:
    before = client.get("/inventory").text
    with sqlite_store.writing() as session:
        note_effects(session, [17], NOON)

    after = client.get("/inventory").text

    assert "still to be entered" not in before
    assert "1 messages that took effect are still to be entered" in after


def test_stock_that_no_message_moved_is_said_so(client: FlaskClient) -> None:
    assert "No stock matches" in client.get("/inventory?item=NONE").text
    assert "Nothing has moved here yet" in client.get("/inventory/P100/NONE").text
