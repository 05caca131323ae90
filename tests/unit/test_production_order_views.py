"""Production orders over the API and in the console."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.projections.order_reports import Reported, ReportLine, enter_reports, void_reports
from app.store.reference_tables import ProductionOrder
from app.store.session import Store
from mappings.units import Quantity
from tests.factories import NOON
from tests.web import account_for, key_for, log_in, web_app

pytestmark = pytest.mark.slow

PATH = "/v1/production-orders"


def _line(message_id: int, order: str, kind: Reported, amount: str | None = None, item: str = "BIKE-100") -> ReportLine:
    quantity = None if amount is None else Quantity(Decimal(amount), "EA")
    named = item if amount is not None else None
    return ReportLine(message_id, 0, 1, "P100", order, kind, NOON, order, named, quantity)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    account_for(store, Role.VIEWER)
    released = {"plant": "P100", "item": "BIKE-100", "uom": "EA", "planned": Decimal(10), "updated_at": NOON}
    ends = {"1000": timedelta(hours=-1), "1001": timedelta(hours=1), "1002": timedelta(hours=-2)}
    with store.writing() as session:
        for number, (order, later) in enumerate(ends.items(), start=1):
            planned = {"order_id": order, "planned_end_at": NOON + later, "released_message_id": number}
            session.add(ProductionOrder(**released, **planned))
        session.flush()
        lines = [_line(11, "1000", Reported.PRODUCED, "4"), _line(12, "1000", Reported.CONSUMED, "8", "WHEEL-10")]
        lines += [_line(13, "1002", Reported.PRODUCED, "10"), _line(14, "1002", Reported.ENDED)]
        lines += [_line(15, "20/<1>", Reported.SCRAPPED, "1")]
        enter_reports(session, lines, NOON)
        enter_reports(session, [_line(16, "1000", Reported.PRODUCED, "3")], NOON)
        void_reports(session, [16], NOON)
    client = web_app(store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def _codes(client: FlaskClient, query: str) -> list[str]:
    answer = client.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    return [one["order_id"] for one in answer.json["production_orders"]]


@pytest.mark.parametrize(
    ("query", "orders"),
    [
        ("", ["1000", "1001", "1002", "20/<1>"]),
        ("status=started", ["1000", "20/<1>"]),
        ("status=released", ["1001"]),
        ("status=completed", ["1002"]),
        ("status=unreleased", []),
        ("late=true", ["1000"]),
        ("item=BIKE-100&plant=P100&late=false", ["1000", "1001", "1002"]),
        ("plant=P200", []),
    ],
)
def test_orders_are_found_by_where_they_stand(client: FlaskClient, query: str, orders: list[str]) -> None:
    assert _codes(client, query) == orders


def test_orders_come_page_by_page(client: FlaskClient) -> None:
    found: list[str] = []
    following: Any = f"{PATH}?limit=3"
    while following is not None:
        page = client.get(following).json
        found += [one["order_id"] for one in page["production_orders"]]
        following = page["next"]

    assert found == ["1000", "1001", "1002", "20/<1>"]


def test_one_order_tells_what_it_made_took_and_how_late_it_is(client: FlaskClient) -> None:
    found = client.get(f"{PATH}/P100/1000").json

    assert {name: found[name] for name in ("status", "planned", "completed", "remaining", "late_seconds")} == {
        "status": "started",
        "planned": "10",
        "completed": "4",
        "remaining": "6",
        "late_seconds": 3600.0,
    }
    assert found["items"] == [
        {"item": "BIKE-100", "uom": "EA", "produced": "4", "consumed": "0", "scrapped": "0"},
        {"item": "WHEEL-10", "uom": "EA", "produced": "0", "consumed": "8", "scrapped": "0"},
    ]


def test_each_report_names_its_message_and_a_reversed_one_since_when_it_counts_no_more(client: FlaskClient) -> None:
    first = client.get(f"{PATH}/P100/1000/reports?limit=2").json
    rest = client.get(first["next"]).json
    odd = client.get(f"{PATH}/P100/20/%3C1%3E/reports").json

    told = [(one["message_id"], one["kind"], one["void_at"] is not None) for one in first["reports"] + rest["reports"]]
    assert told == [(16, "produced", True), (12, "consumed", False), (11, "produced", False)]
    assert [one["quantity"] for one in odd["reports"]] == [{"value": "1", "uom": "EA"}]


@pytest.mark.parametrize("path", ["P100/4711", "P100/%00", f"P100/{'9' * 300}", "%00/1/reports"])
def test_an_order_that_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(f"{PATH}/{path}").status_code == 404


def test_a_source_sees_no_orders(client: FlaskClient, store: Store) -> None:
    client.get("/logout")

    assert client.get(PATH, headers=key_for(store)).status_code == 403


def test_the_console_leads_from_an_order_to_its_reports_and_their_messages(client: FlaskClient) -> None:
    listed = client.get("/orders?plant=P100").text
    shown = client.get("/orders/P100/1000").text
    odd = client.get("/orders/P100/20/%3C1%3E").text
    missing = client.get("/orders/P100/4711")

    assert 'href="/orders/P100/1000"' in listed
    assert "late by 1 h 0 min" in listed
    assert [f'href="/messages/{number}"' in shown for number in (11, 12, 16, 13)] == [True, True, True, False]
    assert "&lt;1&gt;" in odd
    assert missing.status_code == 404
