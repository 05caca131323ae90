"""Lots over the API and in the console."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.projections.ledger import Entry, enter
from app.projections.lot_links import IN, OUT, Link, LinkKey, add_links
from app.projections.movements import Kind, Leg, Place
from app.store.session import Store
from tests.factories import NOON
from tests.web import account_for, key_for, log_in, web_app

pytestmark = pytest.mark.slow

RIM, WHEEL = ("RIM-1", "R/1 <ä>"), ("WHEEL-10", "W1")


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    account_for(store, Role.VIEWER)
    moved = [
        (RIM, "received", "5"),
        (RIM, "consumed", "-7"),
        (WHEEL, "produced", "2"),
        (("RIM-1", "W1"), "received", "1"),
    ]
    entries = [
        Entry(n, 0, 0, Leg(Place("P100", item, "EA", lot=lot), Kind(kind), Decimal(amount)), NOON, document="PO:1")
        for n, ((item, lot), kind, amount) in enumerate(moved, start=1)
    ]
    links = [LinkKey("P100", "1000", IN, *RIM, "EA"), LinkKey("P100", "1000", OUT, *WHEEL, "EA")]
    with store.writing() as session:
        enter(session, entries, NOON)
        add_links(session, [Link(key, Decimal(2), "1000") for key in links])
    client = web_app(store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def test_a_lot_is_traced_over_the_api(client: FlaskClient) -> None:
    up = client.get("/v1/lots/W1/trace?item=WHEEL-10").json
    down = client.get("/v1/lots/R%2F1%20%3C%C3%A4%3E/trace?direction=down").json

    assert [(one["depth"], one["item"], one["lot"], one["on_hand"]) for one in up["lots"]] == [
        (0, "WHEEL-10", "W1", "2"),
        (1, "RIM-1", "R/1 <ä>", "-2"),
    ]
    assert up["lots"][1]["came"] == {"received": "5"}
    assert up["lots"][1]["receipts"] == ["PO:1"]
    assert [(gap["kind"], gap["told"]) for gap in up["gaps"]] == [
        ("more_taken_than_came", "More of lot R/1 <ä> of item RIM-1 was taken than ever came.")
    ]
    assert [one["lot"] for one in down["lots"]] == ["R/1 <ä>", "W1"]
    assert down["links"][0]["quantity"] == {"value": "2", "uom": "EA"}


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("W1/trace", 422, "WHEEL-10"),
        ("NONE/trace", 404, "No message has told of lot NONE yet."),
        ("W1/trace?item=BIKE", 404, "of item BIKE"),
        ("W1/trace?item=WHEEL-10&direction=sideways", 422, "direction"),
        ("W1/trace?item=WHEEL-10&limit=0", 422, "limit"),
        ("%00/trace", 404, "no such thing"),
    ],
)
def test_what_cannot_be_traced_is_said(client: FlaskClient, path: str, status: int, words: str) -> None:
    answer = client.get(f"/v1/lots/{path}")

    assert (answer.status_code, words in answer.json["detail"]) == (status, True)


def test_the_console_traces_a_lot_and_asks_which_item_is_meant(client: FlaskClient) -> None:
    asked = client.get("/lots?lot=W1").text
    found = client.get("/lots?lot=R/1+%3C%C3%A4%3E")
    shown = client.get(found.headers["Location"]).text
    none = client.get("/lots?lot=NONE").text

    assert "known of several items" in asked
    assert found.status_code == 303
    assert "R/1 &lt;ä&gt;" in shown
    assert "W1" in shown
    assert "No message has told of lot" in none
    assert client.get("/lots/trace?item=X&lot=Y").status_code == 404


def test_a_source_traces_no_lots(client: FlaskClient, store: Store) -> None:
    client.get("/logout")

    assert client.get("/v1/lots/W1/trace", headers=key_for(store)).status_code == 403
