"""Business exceptions over the API and at a terminal: seen by who may look, ended by a named person with a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.access.roles import Role
from app.business_exceptions.raising import Cause, raise_exceptions
from app.cli import main
from app.store.session import Store
from app.store.source_notes import take_notes
from tests.factories import NOON
from tests.web import account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow

GAP = {"series": "sequence", "run": 0, "first": 3, "last": 5, "left": [[3, 3], [5, 5]]}
CAUSES = [
    Cause("numbers_missing", "gap:3", "messages of mes", "serious", "Two are missing.", "mes", "P100", "3", "5", GAP),
    Cause("source_silent", "silent:1", "sign of life", "serious", "Nothing came.", "mes", "P200"),
    Cause("file_cut_off", "file:1", "file A.csv", "serious", "It ends too early.", "old", "P200", "row 3"),
]


@pytest.fixture(autouse=True)
def raised(sqlite_store: Store) -> None:
    with sqlite_store.writing() as session:
        for cause in CAUSES:
            raise_exceptions(session, [cause], NOON)


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path).test_client()


@pytest.fixture
def operator(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.OPERATOR)


def ids(client: FlaskClient, who: dict[str, str], query: str) -> tuple[list[int], str | None]:
    answer: Any = client.get(f"/v1/admin/exceptions{query}", headers=who).json
    return [each["id"] for each in answer["exceptions"]], answer["next"]


def test_exceptions_are_listed_by_filter_and_page(client: FlaskClient, operator: dict[str, str]) -> None:
    first, following = ids(client, operator, "?limit=2")

    assert (first, following) == ([3, 2], "/v1/admin/exceptions?limit=2&before=2")
    assert ids(client, operator, "?limit=2&before=2") == ([1], None)
    assert ids(client, operator, "?plant=P200&source=mes")[0] == [2]
    assert ids(client, operator, "?rule=file_cut_off&state=open,acknowledged")[0] == [3]
    assert ids(client, operator, "?state=resolved")[0] == []
    assert client.get("/v1/admin/exceptions?state=gone", headers=operator).status_code == 422


def test_a_named_person_acknowledges_and_resolves_and_the_trail_says_so(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store
) -> None:
    path = "/v1/admin/exceptions/1"

    seen = client.post(f"{path}/acknowledge", headers=operator, json={})
    again = client.post(f"{path}/acknowledge", headers=operator, json={})
    ended = client.post(f"{path}/resolve", headers=operator, json={"reason": "A test of the line."})
    over = client.post(f"{path}/resolve", headers=operator, json={"reason": "A test of the line."})

    trail: Any = client.get("/v1/admin/audit", headers=operator).json
    with sqlite_store.writing() as session:
        waived = [(note.kind, note.first, note.last, note.run) for note in take_notes(session)]
    assert (seen.json["state"], seen.json["acknowledged_by"], again.status_code) == ("acknowledged", "operator", 409)
    assert (ended.json["resolution"], ended.json["resolved_by"]) == ("A test of the line.", "operator")
    assert (over.status_code, over.json["state"]) == (409, "resolved")
    assert [(e["action"], e["subject"]) for e in trail["entries"][:2]] == [
        ("exception.resolved", "exception:1"),
        ("exception.acknowledged", "exception:1"),
    ]
    assert waived == [("waived", 3, 3, 0), ("waived", 5, 5, 0)]


def test_resolving_needs_a_reason_and_an_operator_and_an_exception(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store
) -> None:
    viewer = account_for(sqlite_store, Role.VIEWER)
    path, reason = "/v1/admin/exceptions/2/resolve", {"reason": "Planned."}

    assert client.post(path, headers=operator, json={}).status_code == 422
    assert client.post(path, headers=viewer, json=reason).status_code == 403
    assert client.get("/v1/admin/exceptions/2", headers=viewer).status_code == 200
    for unknown in ("99", str(2**70)):
        for act in ("resolve", "acknowledge"):
            answer = client.post(f"/v1/admin/exceptions/{unknown}/{act}", headers=operator, json=reason)
            assert answer.status_code == 404


def test_the_metrics_count_what_is_unresolved(client: FlaskClient, operator: dict[str, str]) -> None:
    client.post("/v1/admin/exceptions/2/resolve", headers=operator, json={"reason": "Planned."})

    lines = client.get("/metrics").text.splitlines()

    told = sorted(line for line in lines if line.startswith("lineside_open_exceptions{"))
    assert told == [
        'lineside_open_exceptions{plant="P100",rule="numbers_missing",state="open"} 1.0',
        'lineside_open_exceptions{plant="P200",rule="file_cut_off",state="open"} 1.0',
    ]


def test_a_terminal_lists_and_ends_them(sqlite_store: Store, tmp_path: Path) -> None:
    runner = CliRunner(env={"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_store.url})

    listed = runner.invoke(main, ["exceptions", "--json", "--plant", "P200"])
    text = runner.invoke(main, ["exceptions"])
    seen = runner.invoke(main, ["exceptions", "acknowledge", "1"])
    ended = runner.invoke(main, ["exceptions", "resolve", "1", "--reason", "A test."])
    over = runner.invoke(main, ["exceptions", "resolve", "1", "--reason", "A test."])
    none = runner.invoke(main, ["exceptions", "--plant", "P900"])

    assert [each["id"] for each in json.loads(listed.output)["exceptions"]] == [3, 2]
    assert "Two are missing." in text.output
    assert [each.exit_code for each in (listed, text, seen, ended, over, none)] == [0, 0, 0, 0, 1, 1]
    assert "it is resolved, by cli:" in over.output


def test_a_page_shows_what_is_unresolved_and_a_viewer_no_buttons(client: FlaskClient, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.VIEWER)
    log_in(client, "viewer")

    unresolved, one = client.get("/exceptions").text, client.get("/exceptions?id=3").text

    assert all(cause.message in unresolved for cause in CAUSES)
    assert 'Exceptions <span class="count">3</span>' in unresolved
    assert "What became of it" not in unresolved
    assert "It ends too early." in one
    assert "Nothing came." not in one


def test_a_page_that_gives_no_reason_resolves_nothing(client: FlaskClient, sqlite_store: Store) -> None:
    account_for(sqlite_store, Role.OPERATOR, "otto")
    log_in(client, "otto")
    form = {"csrf_token": csrf_of(client.get("/exceptions").text), "reason": " "}

    client.post("/exceptions/1/resolve", data=form)
    client.post("/exceptions/77/acknowledge", data=form)

    page = client.get("/exceptions?id=1").text
    assert "Say what became of it" in page
    assert "There is no business exception 77." in page
    assert ">open</span>" in page
