"""GET /v1/messages: what became of them, page by page, and to whom it is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.errors import Refused
from app.inbox import lookup
from app.store.session import Store
from mappings.canonical.registry import SCHEMAS
from mappings.registry import OUTBOUND, OutboundMapping
from tests.factories import NOON, accept, completion, know_items, move_event, pipeline, release, run_once
from tests.fakes import Books, Clock, echo
from tests.web import account_for, key_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _echo_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in SCHEMAS:
        monkeypatch.setitem(OUTBOUND, ("echo", kind), OutboundMapping(echo))


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path).test_client()


@pytest.fixture
def viewer(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.VIEWER)


def run_twice(store: Store, erp: Books) -> None:
    """The second time for what had to wait for the release of its order."""
    clock = Clock(NOON)
    for _ in range(2):
        run_once(pipeline(store, {"erp": erp}, clock))
        clock.pass_time(10)


def every_page(client: FlaskClient, url: str, headers: dict[str, str]) -> list[list[int]]:
    pages: list[list[int]] = []
    following: Any = url
    while following:
        answer = client.get(following, headers=headers).json
        pages.append([message["id"] for message in answer["messages"]])
        following = answer["next"]
        assert len(pages) < 50
    return pages


def test_pages_hold_every_message_once_newest_first(
    client: FlaskClient, viewer: dict[str, str], sqlite_store: Store
) -> None:
    ids = accept(sqlite_store, *[move_event(f"m{number}") for number in range(7)])

    pages = every_page(client, "/v1/messages?limit=3", viewer)

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [message_id for page in pages for message_id in page] == sorted(ids, reverse=True)


def test_a_page_of_a_rare_value_looks_at_a_bounded_number_of_messages(
    client: FlaskClient, viewer: dict[str, str], sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lookup, "WINDOW", 4)
    rare, *_ = accept(sqlite_store, completion("rare"), *[move_event(f"m{number}") for number in range(9)])

    pages = every_page(client, "/v1/messages?type=production.completed.v1", viewer)

    assert pages == [[], [], [rare]]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("plant=P200", ["b"]),
        ("plant=P100,P200", ["b", "a"]),
        ("state=received", ["b", "a"]),
        ("state=dead,posted", []),
        ("type=production.completed.v1", ["a"]),
        ("source=mes&source_message_id=b", ["b"]),
        ("ordering_key=line-4", ["b"]),
        ("received_after=2026-03-02T12:00:00Z", ["b", "a"]),
        ("received_before=2026-03-02T13:00:00%2B01:00", []),
    ],
)
def test_a_list_shows_what_matches(
    client: FlaskClient, viewer: dict[str, str], sqlite_store: Store, query: str, expected: list[str]
) -> None:
    accept(sqlite_store, completion("a"), move_event("b", plant="P200", ordering_key="line-4"))

    answer = client.get(f"/v1/messages?{query}", headers=viewer)

    assert [message["source_message_id"] for message in answer.json["messages"]] == expected


@pytest.mark.parametrize(
    "query", ["state=gone", "limit=0", "limit=201", "before=-1", "before=x", "received_after=noon", "type=%00"]
)
def test_a_query_that_cannot_be_meant_is_refused(client: FlaskClient, viewer: dict[str, str], query: str) -> None:
    assert client.get(f"/v1/messages?{query}", headers=viewer).status_code == 422


def test_a_message_tells_its_timeline_its_postings_and_each_attempt(
    client: FlaskClient, viewer: dict[str, str], sqlite_store: Store
) -> None:
    know_items(sqlite_store)
    erp = Books()
    erp.before = [None, Refused("order_closed", "The order is closed.")]
    message_id = accept(sqlite_store, release(), completion())[1]
    run_twice(sqlite_store, erp)

    told = client.get(f"/v1/messages/{message_id}", headers=viewer).json

    assert told["state"] == "dead"
    assert told["reason_code"] == "order_closed"
    assert [entry["to"] for entry in told["timeline"]] == ["received", "transformed", "waiting", "enriched", "dead"]
    assert [posting["state"] for posting in told["postings"]] == ["refused"]
    assert told["postings"][0]["attempts"][0]["outcome"] == "refused"
    assert told["postings"][0]["document"]["data"]["order_id"] == "1000"
    for step in ("canonical", "enriched"):
        assert client.get(told["links"][step], headers=viewer).json[0]["type"] == "production.completed.v1"


def test_a_message_says_how_many_it_holds_up(client: FlaskClient, viewer: dict[str, str], sqlite_store: Store) -> None:
    know_items(sqlite_store)
    first, *_ = accept(
        sqlite_store, completion("c1", uom="BARREL"), completion("c2", at="2026-03-02T10:00:00Z"), release()
    )
    here = pipeline(sqlite_store, {"erp": Books()}, Clock(NOON))
    run_once(here)
    here.clock.pass_time(10)  # type: ignore[attr-defined]
    run_once(here)

    told = [client.get(f"/v1/messages/{key}", headers=viewer).json for key in (first, first + 1)]

    assert [(message["state"], message["holds_up"]) for message in told] == [("dead", 1), ("waiting", 0)]


def test_a_payload_is_given_back_byte_for_byte_and_never_shown_by_a_browser(
    client: FlaskClient, viewer: dict[str, str], sqlite_store: Store
) -> None:
    body = b"<script>alert(1)</script>\xff\x00"
    (message_id,) = accept(sqlite_store, move_event(body=body, content_type="text/html"))

    answer = client.get(f"/v1/messages/{message_id}/payload", headers=viewer)

    assert answer.data == body
    assert answer.content_type == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"].startswith("attachment")


def test_a_source_sees_its_own_messages_only(client: FlaskClient, sqlite_store: Store) -> None:
    mine, other_plant, other_source = accept(
        sqlite_store, move_event("a"), move_event("b", plant="P200"), move_event("c", source="erp")
    )
    key = key_for(sqlite_store)

    assert every_page(client, "/v1/messages", key) == [[mine]]
    assert client.get(f"/v1/messages/{mine}", headers=key).status_code == 200
    for hidden in (other_plant, other_source, 999):
        for path in ("", "/payload", "/documents/canonical"):
            assert client.get(f"/v1/messages/{hidden}{path}", headers=key).status_code == 404
    assert client.get("/v1/messages?source=erp", headers=key).status_code == 403
    assert client.get("/v1/messages?plant=P200", headers=key).status_code == 403


@pytest.mark.parametrize("path", ["/v1/messages/99999999999999999999999", "/v1/messages/0", "/v1/nothing"])
def test_what_is_not_there_is_told_as_a_problem(client: FlaskClient, viewer: dict[str, str], path: str) -> None:
    answer = client.get(path, headers=viewer)

    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
