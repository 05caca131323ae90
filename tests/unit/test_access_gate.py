"""Who is let in where: keys, accounts, sessions, and what is never open by accident."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from flask import Flask

from app.access.policy import UndeclaredRoute, refuse_undeclared_routes
from app.access.roles import Role
from app.access.sessions import installation_secret
from app.store.session import Store
from tests.web import PASSWORD, account_for, csrf_of, key_for, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path) -> Flask:
    return web_app(sqlite_store, tmp_path)


def test_an_application_with_a_route_that_declares_nothing_does_not_start(app: Flask) -> None:
    app._got_first_request = False
    app.add_url_rule("/forgotten", view_func=lambda: "open", endpoint="forgotten")

    with pytest.raises(UndeclaredRoute, match="/forgotten"):
        refuse_undeclared_routes(app)


def test_without_a_key_the_answer_says_how_to_prove_who_you_are(app: Flask) -> None:
    answer = app.test_client().post("/v1/messages", data="{}", content_type="application/json")

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.content_type == "application/problem+json"


def test_a_wrong_key_is_not_let_in_even_where_an_account_would_do(app: Flask, sqlite_store: Store) -> None:
    answer = app.test_client().get("/v1/messages", headers={"Authorization": "Bearer ls_" + "A" * 43})

    assert answer.status_code == 401


def test_a_key_may_also_come_as_a_header_of_its_own(app: Flask, sqlite_store: Store) -> None:
    plain = key_for(sqlite_store)["Authorization"].removeprefix("Bearer ")

    assert app.test_client().get("/v1/messages", headers={"X-Api-Key": plain}).status_code == 200


@pytest.mark.parametrize("path", ["/v1/admin/dead-letters", "/v1/admin/queues", "/v1/admin/audit", "/"])
def test_a_source_key_opens_no_admin_route(app: Flask, sqlite_store: Store, path: str) -> None:
    assert app.test_client().get(path, headers=key_for(sqlite_store)).status_code == 403


def test_an_account_sends_no_messages(app: Flask, sqlite_store: Store) -> None:
    headers = account_for(sqlite_store, Role.ADMIN)

    answer = app.test_client().post("/v1/messages", data="{}", content_type="application/json", headers=headers)

    assert answer.status_code == 403


def test_a_viewer_reads_and_does_not_act(app: Flask, sqlite_store: Store) -> None:
    client, headers = app.test_client(), account_for(sqlite_store, Role.VIEWER)

    read = client.get("/v1/admin/dead-letters", headers=headers)
    acted = client.post("/v1/admin/dead-letters/requeue", json={"filter": {}}, headers=headers)

    assert (read.status_code, acted.status_code) == (200, 403)


def test_a_password_is_not_taken_from_another_machine_without_tls(app: Flask, sqlite_store: Store) -> None:
    headers = account_for(sqlite_store, Role.ADMIN)
    client = app.test_client()

    plain = client.get("/v1/admin/queues", headers=headers, environ_base={"REMOTE_ADDR": "10.1.2.3"})
    over_tls = client.get(
        "/v1/admin/queues",
        headers=headers,
        base_url="https://lineside.example",
        environ_base={"REMOTE_ADDR": "10.1.2.3"},
    )

    assert (plain.status_code, over_tls.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.1.2.3", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.1.2.3"}, 401),
        ("127.0.0.1", {"Forwarded": "for=10.1.2.3"}, 401),
    ],
)
def test_metrics_are_open_to_this_machine_only(app: Flask, address: str, headers: dict[str, str], status: int) -> None:
    answer = app.test_client().get("/metrics", headers=headers, environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == status


def test_a_browser_is_sent_to_the_log_in_page_and_back(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)
    client = app.test_client()

    sent = client.get("/messages?state=dead")
    login_page = client.get(sent.location)
    form = {"csrf_token": csrf_of(login_page.text), "next": "/messages?state=dead"}
    answer = client.post("/login", data={"name": "viewer", "password": PASSWORD, **form})

    assert sent.status_code == 303
    assert answer.location == "/messages?state=dead"
    assert client.get("/messages?state=dead").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:1"])
def test_the_log_in_leads_to_no_other_site(app: Flask, sqlite_store: Store, elsewhere: str) -> None:
    account_for(sqlite_store, Role.VIEWER)
    client = app.test_client()
    token = csrf_of(client.get("/login").text)

    answer = client.post(
        "/login",
        data={"name": "viewer", "password": PASSWORD, "csrf_token": token, "next": elsewhere},
    )

    assert answer.location == "/"


def test_a_form_of_another_site_changes_nothing(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.OPERATOR)
    client = app.test_client()
    log_in(client, "operator")

    page = client.post("/dead-letters/requeue", data={})
    api = client.post("/v1/admin/dead-letters/requeue", json={"filter": {}})

    assert (page.status_code, api.status_code) == (403, 403)


def test_a_log_in_without_its_token_is_refused(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)

    answer = app.test_client().post("/login", data={"name": "viewer", "password": PASSWORD})

    assert answer.status_code == 403


def test_the_session_cookie_is_kept_from_scripts_and_from_other_sites(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)

    cookie = log_in(app.test_client(), "viewer").headers["Set-Cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_after_logging_out_the_pages_are_closed(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)
    client = app.test_client()
    log_in(client, "viewer")
    token = csrf_of(client.get("/").text)

    client.post("/logout", data={"csrf_token": token})

    assert client.get("/").status_code == 303


def test_many_wrong_passwords_are_told_to_wait(app: Flask, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)
    client = app.test_client()

    answers = [log_in(client, "viewer", "a wrong password").status_code for _ in range(6)]

    assert answers == [401, 401, 401, 401, 401, 429]


def test_processes_of_one_installation_share_one_secret_that_nobody_else_reads(tmp_path: Path) -> None:
    first, second = installation_secret(tmp_path / "home"), installation_secret(tmp_path / "home")

    mode = (tmp_path / "home" / "secret.key").stat().st_mode
    assert first == second
    assert len(first) == 64
    assert stat.S_IMODE(mode) == 0o600
