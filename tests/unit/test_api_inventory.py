"""Stock over the API: by item, by place, and the movements that made it so, page by page."""

from __future__ import annotations

import base64
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.projections.effects import note_effects
from app.projections.ledger import Entry, enter, void
from app.projections.movements import Kind, Leg, Place
from app.store.session import Store
from tests.factories import NOON
from tests.web import account_for, key_for, web_app

pytestmark = pytest.mark.slow

WHEEL = Place("P100", "WHEEL-10", "EA", "P100-ST")
LOT = Place("P100", "WHEEL-10", "EA", "P100-ST", lot="L 1/ä")
BLOCKED = Place("P100", "WHEEL-10", "EA", "P100-ST", status="blocked")
NOWHERE = Place("P100", "WHEEL-10", "EA")
BIKE = Place("P200", "BIKE-100", "EA", "P200-ST")
MOVED = ((WHEEL, "10"), (LOT, "3"), (BLOCKED, "1.5"), (NOWHERE, "-2"), (BIKE, "7"), (WHEEL, "-10"))


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    entries = [
        Entry(number, 0, 0, Leg(place, Kind.ADJUSTED, Decimal(amount)), NOON, order_id=f"{number}", reason="found")
        for number, (place, amount) in enumerate(MOVED, start=1)
    ]
    with store.writing() as session:
        enter(session, entries, NOON)
    return web_app(store, tmp_path).test_client()


@pytest.fixture
def viewer(store: Store) -> dict[str, str]:
    return account_for(store, Role.VIEWER)


def pages(client: FlaskClient, path: str, name: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """Every row, one a page."""
    rows: list[dict[str, Any]] = []
    following: str | None = path
    while following is not None:
        answer = client.get(following, headers=headers)
        assert answer.status_code == 200, answer.text
        assert len(answer.json[name]) <= 1
        rows += answer.json[name]
        following = answer.json["next"]
        assert len(rows) < 20
    return rows


def test_what_plants_have_of_items_is_listed_by_plant_and_item(client: FlaskClient, viewer: dict[str, str]) -> None:
    rows = pages(client, "/v1/inventory?limit=1", "inventory", viewer)

    assert [(row["plant"], row["item"], row["on_hand"], row["unrestricted"], row["blocked"]) for row in rows] == [
        ("P100", "WHEEL-10", "2.5", "1", "1.5"),
        ("P200", "BIKE-100", "7", "7", "0"),
    ]


def test_stock_is_listed_by_place_and_an_empty_filter_is_what_no_event_named(
    client: FlaskClient, viewer: dict[str, str]
) -> None:
    rows = pages(client, "/v1/inventory/stock?limit=1&plant=P100", "stock", viewer)
    with_empty = pages(client, "/v1/inventory/stock?limit=1&plant=P100&empty=true", "stock", viewer)
    nowhere = pages(client, "/v1/inventory/stock?limit=1&storage=", "stock", viewer)
    of_lot = pages(client, "/v1/inventory/stock?limit=1&lot=L%201/%C3%A4", "stock", viewer)

    assert [(row["storage"], row["lot"], row["status"], row["quantity"]["value"]) for row in rows] == [
        (None, None, "unrestricted", "-2"),
        ("P100-ST", None, "blocked", "1.5"),
        ("P100-ST", "L 1/ä", "unrestricted", "3"),
    ]
    assert len(with_empty) == 4
    assert [row["quantity"] for row in nowhere] == [{"value": "-2", "uom": "EA"}]
    assert [row["lot"] for row in of_lot] == ["L 1/ä"]


def test_every_number_names_the_messages_that_it_comes_from(
    client: FlaskClient, store: Store, viewer: dict[str, str]
) -> None:
    with store.writing() as session:
        void(session, [4], NOON)
    here = "/v1/inventory/movements?limit=1&plant=P100&item=WHEEL-10"

    of_item = pages(client, here, "movements", viewer)
    of_place = pages(client, f"{here}&storage=P100-ST&lot=&status=unrestricted", "movements", viewer)
    with_void = pages(client, f"{here}&void=true&storage=", "movements", viewer)
    of_message = pages(client, "/v1/inventory/movements?limit=1&message_id=5&kind=adjusted", "movements", viewer)
    of_order = pages(client, "/v1/inventory/movements?limit=1&order_id=2", "movements", viewer)

    assert [row["message_id"] for row in of_item] == [6, 3, 2, 1]
    assert [(row["message_id"], row["quantity"]["value"]) for row in of_place] == [(6, "-10"), (1, "10")]
    assert [(row["message_id"], row["void_at"]) for row in with_void] == [(4, "2026-03-02T12:00:00.000Z")]
    assert [(row["item"], row["kind"], row["reason"]) for row in of_message] == [("BIKE-100", "adjusted", "found")]
    assert [row["message_id"] for row in of_order] == [2]


def test_only_the_wanted_fields_are_sent(client: FlaskClient, viewer: dict[str, str]) -> None:
    answer = client.get("/v1/inventory?fields=item,on_hand&plant=P200", headers=viewer)
    unknown = client.get("/v1/inventory?fields=price", headers=viewer)

    assert answer.json["inventory"] == [{"item": "BIKE-100", "on_hand": "7"}]
    assert (unknown.status_code, "on_hand" in unknown.json["detail"]) == (422, True)


def test_an_answer_that_is_as_before_is_not_sent_again(
    client: FlaskClient, store: Store, viewer: dict[str, str]
) -> None:
    first = client.get("/v1/inventory", headers=viewer)
    asking = {**viewer, "If-None-Match": first.headers["ETag"]}

    again = client.get("/v1/inventory", headers=asking)
    with store.writing() as session:
        enter(session, [Entry(9, 0, 0, Leg(BIKE, Kind.ADJUSTED, Decimal(1)), NOON)], NOON)
    changed = client.get("/v1/inventory", headers=asking)

    assert (again.status_code, again.data) == (304, b"")
    assert (changed.status_code, changed.json["inventory"][1]["on_hand"]) == (200, "8")


def test_how_far_the_answer_is_behind_stands_in_it(client: FlaskClient, store: Store, viewer: dict[str, str]) -> None:
    with store.writing() as session:
        note_effects(session, [17, 18], NOON)

    answer = client.get("/v1/inventory", headers=viewer)

    since = "2026-03-02T12:00:00.000Z"
    assert answer.json["behind"] == {"messages": 2, "is_more": False, "since": since, "faults": 0}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/v1/inventory?after=abc", "query after"),
        ("/v1/inventory?after=WyJhIl0", "query after"),
        ("/v1/inventory?after=W1siYSJdLCJiIiwiYyJd", "query after"),
        ("/v1/inventory?after=WyJcdWQ4MDAiLCJhIiwiYiJd", "query after"),
        ("/v1/inventory?after=WyJcdTAwMDAiLCJhIiwiYiJd", "query after"),
        ("/v1/inventory/stock?empty=perhaps", "query empty"),
        ("/v1/inventory/stock?status=lost", "query status"),
        ("/v1/inventory/movements?kind=stolen", "query kind"),
        ("/v1/inventory/movements?message_id=-1", "query message_id"),
        ("/v1/inventory?limit=1000", "query limit"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_its_name(
    client: FlaskClient, viewer: dict[str, str], path: str, place: str
) -> None:
    answer = client.get(path, headers=viewer)

    assert (answer.status_code, answer.json["errors"][0]["place"]) == (422, place)


def test_a_filter_that_means_too_many_places_says_what_to_add(
    client: FlaskClient, store: Store, viewer: dict[str, str]
) -> None:
    many = [Place("P100", f"I{number}", "EA", "BIG") for number in range(501)]
    with store.writing() as session:
        enter(session, [Entry(9, 0, n, Leg(p, Kind.ADJUSTED, Decimal(1)), NOON) for n, p in enumerate(many)], NOON)

    answer = client.get("/v1/inventory/movements?storage=BIG", headers=viewer)

    assert (answer.status_code, "name the plant and the item" in answer.json["detail"]) == (422, True)


def test_a_source_sees_no_stock(client: FlaskClient, store: Store) -> None:
    answer = client.get("/v1/inventory", headers=key_for(store))

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "inventory/movements?kind=received,shipped",
        "inventory/stock?status=blocked,quality",
        "production-orders?status=released,started",
        "lots/L1/trace?direction=up,down",
    ],
)
def test_a_filter_that_takes_one_value_refuses_more_instead_of_using_the_first(
    client: FlaskClient, viewer: dict[str, str], query: str
) -> None:
    assert client.get(f"/v1/{query}", headers=viewer).status_code == 422


def test_a_page_behind_what_nobody_could_read_to_its_end_is_refused(
    client: FlaskClient, viewer: dict[str, str]
) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2_000).decode()

    assert client.get(f"/v1/inventory?after={deep}", headers=viewer).status_code == 422
