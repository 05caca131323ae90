"""An unknown outcome is listed and decided over the API, at a terminal and on the console, by the same rules."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.access.roles import Role
from app.cli import main
from app.postings.listing import unknown_figures
from app.store.postings_tables import Posting
from app.store.session import Store
from tests.factories import NOON
from tests.fakes import Clock
from tests.reading import posting_states, states
from tests.unknown import DOCUMENT, KEY, refused_posting, unknown_posting
from tests.web import Nudged, account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow

SAID = {"outcome": "posted", "reference": "4711", "reason": "seen in the ERP"}


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> Flask:
    return web_app(sqlite_store, tmp_path, nudged=nudged, clock=Clock(NOON + timedelta(minutes=5)))


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def posting(sqlite_store: Store) -> int:
    return unknown_posting(sqlite_store)


def test_an_unknown_outcome_is_listed_with_what_was_sent_and_why_nobody_knows(
    client: FlaskClient, sqlite_store: Store, posting: int
) -> None:
    viewer = account_for(sqlite_store, Role.VIEWER)

    told = client.get("/v1/admin/postings", headers=viewer).json
    (row,) = told["postings"]

    assert (row["id"], row["target"], row["plant"], row["posting_key"]) == (posting, "erp", "P100", KEY)
    assert (row["since"], row["attempts"]) == ("2026-03-02T12:00:00.000Z", 1)
    assert (row["document"], row["reason"]) == (DOCUMENT, "No answer within 5 s.")
    assert (row["message"]["state"], row["message"]["reason_code"]) == ("dead", "worker_lost")
    assert client.get(row["links"]["message"], headers=viewer).json["postings"][0]["id"] == posting
    assert told["next"] is None
    assert client.get("/v1/admin/postings?state=posted", headers=viewer).json["postings"] == []
    assert client.get("/v1/admin/postings?state=lost", headers=viewer).status_code == 422


def test_a_decision_is_taken_once_and_the_second_is_told_the_present_state(
    client: FlaskClient, sqlite_store: Store, posting: int, nudged: Nudged
) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)
    path = f"/v1/admin/postings/{posting}/decide"

    first, second = (client.post(path, headers=operator, json=SAID) for _ in range(2))

    assert first.json == {"id": posting, "state": "posted", "message": {"id": 1, "state": "enriched"}}
    assert (second.status_code, second.json["posting_state"]) == (409, "posted")
    assert "there as 4711" in second.json["detail"]
    assert nudged.plants == [("P100", 1)]


def test_deciding_needs_an_operator_and_a_posting(client: FlaskClient, sqlite_store: Store, posting: int) -> None:
    operator, viewer = (account_for(sqlite_store, role) for role in (Role.OPERATOR, Role.VIEWER))

    assert client.post(f"/v1/admin/postings/{posting}/decide", headers=viewer, json=SAID).status_code == 403
    assert client.post("/v1/admin/postings/99/decide", headers=operator, json=SAID).status_code == 404
    assert client.post(f"/v1/admin/postings/{10**19}/decide", headers=operator, json=SAID).status_code == 404
    assert posting_states(sqlite_store, 1) == ["unknown"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"outcome": "lost"}, "/outcome"),
        ({"reason": " x "}, "/reason"),
        ({"reason": "x" * 1_001}, "/reason"),
        ({"reference": "a\nb"}, "/reference"),
        ({"outcome": "not_posted"}, "/reference"),
        ({"why": "typed wrongly"}, "/why"),
    ],
)
def test_a_decision_that_cannot_be_meant_is_told_by_its_place(
    client: FlaskClient, sqlite_store: Store, posting: int, change: dict[str, str], pointer: str
) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)

    answer = client.post(f"/v1/admin/postings/{posting}/decide", headers=operator, json=SAID | change)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json["errors"]] == [pointer]
    assert posting_states(sqlite_store, 1) == ["unknown"]


def test_it_is_listed_and_decided_at_a_terminal(sqlite_url: str, sqlite_store: Store, tmp_path: Path) -> None:
    posting = unknown_posting(sqlite_store)
    environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, arguments, env=environment)
        return result.exit_code, result.output

    listed = json.loads(run("postings", "--json")[1])["postings"]
    shown, traced = run("postings")[1], run("trace", "1")[1]
    decision = ("decide", str(posting), "--not-posted", "--reason", "searched by key")

    assert [(row["id"], row["message"]["state"], row["document"]) for row in listed] == [(posting, "dead", DOCUMENT)]
    assert f"Posting {posting}: inventory.moved.v1 to erp" in shown
    assert f"posting {posting}, key {KEY}" in traced
    assert run("decide", str(posting), "--reason", "searched by key")[0] == 2
    assert run(*decision, "--stays-dead") == (0, f"Posting {posting} is planned; message 1 is dead.\n")
    assert run(*decision)[0] == 1
    assert run("postings")[0] == 1


def test_it_is_found_from_the_first_page_and_decided_on_its_message_s(
    app: Flask, sqlite_store: Store, posting: int
) -> None:
    account_for(sqlite_store, Role.OPERATOR)
    operator = app.test_client()
    log_in(operator, "operator")
    overview, listed, shown = (operator.get(path).text for path in ("/", "/postings", "/messages/1"))
    form = {"csrf_token": csrf_of(shown), "outcome": "not_posted", "reason": "searched by key"}

    refused = operator.post(f"/postings/{posting}/decide", data=form | {"reason": "", "back": "/messages/1"})
    told = operator.get(refused.location).text
    decided = operator.post(f"/postings/{posting}/decide", data=form)

    assert '<a href="/postings"><strong>1 posting of unknown outcome</strong></a>' in overview
    assert f'href="/messages/1#posting-{posting}"' in listed
    assert "This decides nothing: reason must have" in told
    assert decided.location == "/messages/1"
    assert (states(sqlite_store, 1), posting_states(sqlite_store, 1)) == (["received"], ["planned"])
    assert "unknown outcome" not in operator.get("/").text


def test_a_refused_posting_behind_a_posted_message_is_made_again_once(
    client: FlaskClient, sqlite_store: Store, nudged: Nudged
) -> None:
    posting, why = refused_posting(sqlite_store), {"reason": "the schedule is there"}
    operator, viewer = (account_for(sqlite_store, role) for role in (Role.OPERATOR, Role.VIEWER))
    path = f"/v1/admin/postings/{posting}/requeue"

    denied = client.post(path, headers=viewer, json=why)
    pointless = client.post(path, headers=operator, json={"reason": " "})
    first, second = (client.post(path, headers=operator, json=why) for _ in range(2))
    figures = client.get("/v1/admin/queues", headers=viewer).json["plants"][0]
    metrics = client.get("/metrics", headers=viewer).text

    assert (denied.status_code, pointless.status_code) == (403, 422)
    assert first.json == {"id": posting, "state": "planned", "message": {"id": 1, "state": "posted"}}
    assert (second.status_code, second.json["posting_state"]) == (409, "planned")
    assert client.post("/v1/admin/postings/99/requeue", headers=operator, json=why).status_code == 404
    assert nudged.plants == [("P100", 1)]
    assert (figures["states"], figures["trailing"]) == ({"posted": 1}, 1)
    assert 'lineside_backlog_messages{plant="P100",state="posted",step="post"} 1.0' in metrics


def test_a_refused_posting_is_made_again_from_a_terminal_and_from_its_page(
    app: Flask, sqlite_url: str, sqlite_store: Store, tmp_path: Path
) -> None:
    posting = refused_posting(sqlite_store)
    account_for(sqlite_store, Role.OPERATOR)
    operator = app.test_client()
    log_in(operator, "operator")
    shown = operator.get("/messages/1").text
    form = {"csrf_token": csrf_of(shown), "reason": "the schedule is there"}
    environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
    command = ["requeue-posting", str(posting), "--reason", "it is there"]

    made = operator.post(f"/postings/{posting}/requeue", data=form)
    after = operator.get("/messages/1").text
    at_a_terminal = CliRunner().invoke(main, command, env=environment)

    assert "Post it to planning again" in shown
    assert made.location == "/messages/1"
    assert "What is required of it is posted." in after
    assert "Post it to planning again" not in after
    assert (at_a_terminal.exit_code, posting_states(sqlite_store, 1)) == (1, ["planned"])
    assert "1 trailing" in operator.get("/").text


def test_what_was_under_way_when_its_message_died_is_listed_as_unknown_and_decided(
    client: FlaskClient, sqlite_store: Store
) -> None:
    posting = unknown_posting(sqlite_store)
    with sqlite_store.writing() as session:
        session.execute(update(Posting).values(state="sending"))
    operator = account_for(sqlite_store, Role.OPERATOR)

    listed = client.get("/v1/admin/postings", headers=operator).json["postings"]
    under_way = client.get("/v1/admin/postings?state=sending", headers=operator).json["postings"]
    with sqlite_store.reading() as session:
        figures = unknown_figures(session)
    decided = client.post(f"/v1/admin/postings/{posting}/decide", headers=operator, json=SAID)

    assert [(row["id"], row["state"]) for row in listed] == [(posting, "unknown")]
    assert under_way == []
    assert (figures.total, figures.dead) == (1, 1)
    assert decided.json == {"id": posting, "state": "posted", "message": {"id": 1, "state": "enriched"}}
