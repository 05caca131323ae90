"""What the API and the console ask of the database, both databases answer alike."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.inbox.states import Move, State, move_messages
from app.store.session import Store
from tests.factories import NOON
from tests.unit.test_api_messages import BATCH, DATA, event, send
from tests.web import account_for, csrf_of, key_for, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(store, tmp_path).test_client()


def test_messages_are_taken_told_apart_and_shown(client: FlaskClient, store: Store) -> None:
    key = key_for(store)
    odd = event("odd \u00e9\u4e2d", data=DATA | {"order_id": "\U0001f6b2"})

    first = send(client, key, [event("a"), odd, event("a", data=DATA | {"order_id": "9"})], BATCH)
    again = send(client, key, odd)

    assert [result["status"] for result in first.json["results"]] == ["accepted", "accepted", "conflict"]
    assert (again.status_code, again.json["id"]) == (200, first.json["results"][1]["id"])
    shown = client.get(again.headers["Location"], headers=key).json
    assert (shown["source_message_id"], shown["state"]) == ("odd \u00e9\u4e2d", "received")
    assert json.loads(client.get(shown["links"]["payload"], headers=key).data) == odd


def test_text_that_a_database_cannot_hold_is_refused_or_kept_but_never_fails(client: FlaskClient, store: Store) -> None:
    key, headers = key_for(store), {"Idempotency-Key": "n1"}
    nul = b'{"note": "a\\u0000b", "half": 1}'

    in_id = send(client, key, event("a\u0000"))
    in_query = send(client, key, nul, "application/json", query_string={"type": "x\0"}, headers=headers)

    assert (in_id.status_code, in_query.status_code) == (422, 422)


@pytest.mark.parametrize(
    "query",
    [
        "plant=P100&state=received,dead",
        "source=mes&type=production.completed.v1",
        "ordering_key=line-1&reason_code=x",
        "received_after=2026-01-01T00:00:00Z&received_before=2027-01-01T00:00:00Z&limit=1",
    ],
)
def test_every_filter_is_answered(client: FlaskClient, store: Store, query: str) -> None:
    viewer = account_for(store, Role.VIEWER)

    assert client.get(f"/v1/messages?{query}", headers=viewer).status_code == 200
    assert client.get(f"/v1/messages?{query}&before=99", headers=viewer).status_code == 200


def test_a_dead_letter_is_seen_and_requeued_on_every_page(client: FlaskClient, store: Store) -> None:
    message_id = send(client, key_for(store), event("a")).json["id"]
    with store.writing() as session:
        move_messages(session, [Move(message_id, State.DEAD, reason_code="unit_unknown", reason="No unit.")], NOON)
    account_for(store, Role.OPERATOR)
    log_in(client, "operator")

    pages = [client.get(path) for path in ("/", "/dead-letters", f"/messages/{message_id}", "/messages", "/audit")]
    token = csrf_of(pages[2].text)
    client.post("/dead-letters/requeue", data={"csrf_token": token, "dead_after": "2026-03-02T00:00:00+00:00"})

    assert [page.status_code for page in pages] == [200] * 5
    assert client.get(f"/v1/messages/{message_id}").json["state"] == "received"
    assert client.get("/v1/admin/audit").json["entries"][0]["actor"] == "operator"
    assert 'lineside_dead_messages{plant="P100"} 0.0' in client.get("/metrics").text
    assert client.get("/readyz").status_code == 200
