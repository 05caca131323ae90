"""The console shows who is told and what became of it, and shows a new secret once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.access.roles import Role
from app.store.session import Store
from tests.factories import NOON
from tests.fakes import Clock
from tests.flow.hooks import Hooks
from tests.receiver import receiving
from tests.web import account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path) -> Flask:
    return web_app(sqlite_store, tmp_path, clock=Clock(NOON))


def _browser(app: Flask, store: Store, role: Role) -> FlaskClient:
    account_for(store, role)
    client = app.test_client()
    log_in(client, role.value)
    return client


def test_an_administrator_makes_a_subscriber_and_sees_its_secret_once(app: Flask, sqlite_store: Store) -> None:
    admin = _browser(app, sqlite_store, Role.ADMIN)
    token = csrf_of(admin.get("/webhooks").text)
    form = {"name": "bi", "url": "https://hooks.example.com/", "type": "inventory.moved.v1", "csrf_token": token}

    made = admin.post("/webhooks", data=form)
    again = admin.post("/webhooks", data=form, follow_redirects=True)

    (secret,) = re.findall(r"whsec_[A-Za-z0-9+/=]+", made.text)
    assert made.headers["Cache-Control"] == "no-store"
    assert "there is a subscriber bi already" in again.text
    assert secret not in admin.get("/webhooks").text + admin.get("/webhooks/1").text


def test_deliveries_and_their_attempts_are_shown_with_why_they_failed(
    app: Flask, sqlite_store: Store, tmp_path: Path
) -> None:
    hooks = Hooks(sqlite_store, tmp_path)
    with receiving() as receiver:
        receiver.says(500)
        subscriber, _ = hooks.subscribe(receiver.url)
        hooks.tell("L1")
        hooks.serve(subscriber)
    viewer = _browser(app, sqlite_store, Role.VIEWER)

    page = viewer.get(f"/webhooks/{subscriber}").text
    one = viewer.get(f"/webhooks/{subscriber}?delivery=1").text

    assert "it answered 500" in page
    assert '<table aria-label="Attempts">' in one
    assert "1 in a row" in page
    assert "Send a test event" not in page
    assert viewer.get("/webhooks/99").status_code == 404


def test_an_operator_pauses_resumes_tests_and_replays(app: Flask, sqlite_store: Store, tmp_path: Path) -> None:
    hooks = Hooks(sqlite_store, tmp_path)
    subscriber, _ = hooks.subscribe("https://hooks.example.com/")
    hooks.tell("L1", "L2")
    operator = _browser(app, sqlite_store, Role.OPERATOR)
    path = f"/webhooks/{subscriber}"
    token = csrf_of(operator.get(path).text)

    def press(act: str, **fields: str) -> str:
        return operator.post(f"{path}/{act}", data={"csrf_token": token, **fields}, follow_redirects=True).text

    assert "Say why" in press("pause", reason="")
    assert "It is paused." in press("pause", reason="moving house")
    assert "It goes on." in press("resume")
    assert "A test event is sent" in press("test")
    assert "2 events are sent again" in press("replay", since="2026-03-02T00:00")
    assert operator.post("/webhooks", data={"csrf_token": token}).status_code == 403
    assert len(hooks.states(subscriber)) == 3
