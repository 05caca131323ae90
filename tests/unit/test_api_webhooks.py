"""Subscribers are managed by those who may, and their secrets are shown once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text

from app.access.roles import Role
from app.store.access_tables import AuditEntry
from app.store.session import Store
from tests.factories import demo_topology
from tests.flow.hooks import Hooks
from tests.web import account_for, key_for, web_app

pytestmark = pytest.mark.slow

URL = "https://hooks.example.com/lineside"


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, demo_topology()).test_client()


@pytest.fixture
def admin(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.ADMIN)


def _make(client: FlaskClient, admin: dict[str, str], **fields: Any) -> Any:
    return client.post("/v1/webhooks", json={"name": "bi", "url": URL} | fields, headers=admin)


def test_a_new_subscriber_is_told_with_its_secret_once_and_never_again(
    client: FlaskClient, admin: dict[str, str], sqlite_store: Store
) -> None:
    made = _make(client, admin, types=["production.completed.v1"], plants=["P100"])

    secret = made.json["secret"]
    shown = client.get(made.headers["Location"], headers=admin)
    assert made.status_code == 201
    assert secret.startswith("whsec_")
    assert (shown.json["state"], shown.json["types"]) == ("active", ["production.completed.v1"])
    assert secret not in shown.text + client.get("/v1/webhooks", headers=admin).text
    with sqlite_store.reading() as session:
        kept = str(session.execute(text("SELECT * FROM webhook_subscribers")).all())
        trail = str([vars(row) for row in session.scalars(select(AuditEntry))])
    assert secret not in kept + trail
    assert "webhook.created" in trail


def test_two_tests_may_be_asked_for_at_the_same_instant(client: FlaskClient, admin: dict[str, str]) -> None:
    made = _make(client, admin)

    first, second = (client.post(f"{made.headers['Location']}/test", headers=admin) for _ in range(2))

    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json["delivery"] != second.json["delivery"]


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"url": "http://hooks.example.com/"}, "/url"),
        ({"url": "https://127.0.0.1/"}, "/url"),
        ({"url": "https://169.254.169.254/latest"}, "/url"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "/url"),
        ({"url": "https://[64:ff9b::10.0.0.1]/"}, "/url"),
        ({"url": "https://user:secret@hooks.example.com/"}, "/url"),
        ({"url": "ftp://hooks.example.com/"}, "/url"),
        ({"url": "https://[broken"}, "/url"),
        ({"name": "no blanks"}, "/name"),
        ({"types": ["no.such.v1"]}, "/types"),
        ({"plants": ["P999"]}, "/plants"),
        ({"concurrency": 99}, "/concurrency"),
        ({"unknown": 1}, "/unknown"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    client: FlaskClient, admin: dict[str, str], fields: dict[str, Any], place: str
) -> None:
    refused = _make(client, admin, **fields)

    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json["errors"]] == [place]


def test_a_name_is_given_once(client: FlaskClient, admin: dict[str, str]) -> None:
    _make(client, admin)

    assert _make(client, admin).status_code == 422


def test_only_an_administrator_makes_changes_and_removes(client: FlaskClient, sqlite_store: Store) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)
    made = _make(client, account_for(sqlite_store, Role.ADMIN)).json["id"]

    for method, path in (
        ("POST", ""),
        ("PATCH", f"/{made}"),
        ("DELETE", f"/{made}"),
        ("POST", f"/{made}/rotate-secret"),
    ):
        assert client.open(f"/v1/webhooks{path}", method=method, json={}, headers=operator).status_code == 403
    paused = client.post(f"/v1/webhooks/{made}/pause", json={"reason": "moving house"}, headers=operator)
    assert paused.status_code == 200
    assert client.get("/v1/webhooks", headers=key_for(sqlite_store)).status_code == 403


def test_it_is_paused_resumed_changed_and_removed(client: FlaskClient, admin: dict[str, str]) -> None:
    path = _make(client, admin).headers["Location"]

    paused = client.post(f"{path}/pause", json={"reason": "moving house"}, headers=admin)
    again = client.post(f"{path}/pause", json={"reason": "moving house"}, headers=admin)
    resumed = client.post(f"{path}/resume", headers=admin)
    changed = client.patch(path, json={"items": ["BIKE-100"], "url": URL + "/2"}, headers=admin)
    removed = client.delete(path, headers=admin)

    assert (paused.json["state"], paused.json["state_reason"]) == ("paused", "moving house")
    assert again.status_code == 409
    assert resumed.json["state"] == "active"
    assert (changed.json["items"], changed.json["url"]) == (["BIKE-100"], URL + "/2")
    assert removed.status_code == 204
    assert client.get(path, headers=admin).status_code == 404


def test_a_test_and_a_replay_make_deliveries_that_are_listed(
    client: FlaskClient, admin: dict[str, str], sqlite_store: Store, tmp_path: Path
) -> None:
    ids = Hooks(sqlite_store, tmp_path).tell("L1", "L2", "L3")
    path = _make(client, admin).headers["Location"]

    tested = client.post(f"{path}/test", headers=admin)
    replayed = client.post(f"{path}/replay", json={"after": 1}, headers=admin)
    page = client.get(f"{path}/deliveries?limit=2", headers=admin).json
    rest = client.get(page["next"], headers=admin).json

    assert (tested.status_code, replayed.status_code) == (202, 202)
    assert replayed.json == {"events": 2, "next_after": None}
    assert [row["webhook_id"] for row in page["deliveries"]] == [ids[2], ids[1]]
    assert [row["id"] for row in rest["deliveries"]] == [tested.json["delivery"]]
    assert rest["next"] is None
    one = client.get(f"{path}/deliveries/{tested.json['delivery']}", headers=admin).json
    assert (one["state"], one["tries"]) == ("due", [])


def test_what_is_not_there_is_404(client: FlaskClient, admin: dict[str, str]) -> None:
    for path in ("9", "9/deliveries", "9/deliveries/1", f"{2**70}"):
        assert client.get(f"/v1/webhooks/{path}", headers=admin).status_code == 404
    for act in ("test", "resume", "rotate-secret"):
        assert client.post(f"/v1/webhooks/9/{act}", headers=admin).status_code == 404
