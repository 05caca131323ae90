"""Fixes of differences over the API, in the console and at a terminal; always two people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access.roles import Role
from app.cli import main
from app.commands import proposals as commands
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.store.messages_tables import Message
from app.store.session import Store
from app.store.snapshots import Balance, save_snapshot
from config.topology import SystemOfRecord, Topology
from config.topology_file import PACKAGED
from tests.factories import NOON, demo_topology, know_items
from tests.web import Nudged, account_for, csrf_of, key_for, log_in, web_app

pytestmark = pytest.mark.slow

REPORTS, PROPOSALS = "/v1/reconciliations", "/v1/proposals"
REASON = {"reason": "counted on Sunday"}
Command = Callable[..., Result]


def _topology() -> Topology:
    topology = demo_topology()
    return replace(topology, systems_of_record={"inventory": SystemOfRecord("inventory", "erp")})


@pytest.fixture
def report(sqlite_store: Store) -> int:
    """The ERP has two items of which nobody reported anything, and one of a plant that there is not."""
    know_items(sqlite_store, "A-1", "B-1")
    rows = [("P100", "A-1", "7"), ("P100", "B-1", "-2.5"), ("P900", "A-1", "1")]
    balances = [Balance(plant, item, "", "", Decimal(amount), "EA") for plant, item, amount in rows]
    with sqlite_store.writing() as session:
        snapshot = save_snapshot(session, "erp", NOON, "a file", "ada", balances)
    return reconcile(sqlite_store, _topology(), snapshot, Level.ITEM, "ada", NOON).id


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, _topology(), nudged).test_client()


@pytest.fixture
def people(sqlite_store: Store) -> dict[str, dict[str, str]]:
    roles = {"ada": Role.OPERATOR, "bob": Role.OPERATOR, "eve": Role.VIEWER}
    return {name: account_for(sqlite_store, role, name) for name, role in roles.items()}


def _adjustments(store: Store) -> list[tuple[str, str]]:
    with store.reading() as session:
        query = select(Message.source, Message.source_message_id).order_by(Message.id)
        return [(row[0], row[1]) for row in session.execute(query)]


def test_one_previews_and_proposes_and_another_approves_over_the_api(
    client: FlaskClient, people: dict[str, Any], report: int, sqlite_store: Store, nudged: Nudged
) -> None:
    def post(who: str, path: str, **body: Any) -> Any:
        return client.post(path, json=body, headers=people[who])

    preview = post("ada", f"{REPORTS}/{report}/proposals", kind="take_over", dry_run=True, **REASON)
    proposed = post("ada", f"{REPORTS}/{report}/proposals", kind="take_over", **REASON)
    own = post("ada", f"{PROPOSALS}/{proposed.json['id']}/approve")
    none = post("eve", f"{PROPOSALS}/{proposed.json['id']}/approve")
    approved = post("bob", f"{PROPOSALS}/{proposed.json['id']}/approve", **REASON)
    again = post("bob", f"{PROPOSALS}/{proposed.json['id']}/approve")

    assert (preview.status_code, preview.json["lines"], preview.json["side"]) == (200, 2, "ledger")
    assert preview.json["first_left_out"] == [{"number": 3, "why": "the topology has no plant P900"}]
    assert (proposed.status_code, proposed.json["state"], proposed.json["plan"]) == (201, "proposed", preview.json)
    assert (own.status_code, own.json["detail"]) == (409, "ada proposed it: another person has to approve it.")
    assert none.status_code == 403
    assert (approved.status_code, approved.json["state"], approved.json["decided_by"]) == (200, "approved", "bob")
    assert (approved.json["outcome"]["messages"], approved.json["outcome"]["left_out"]) == (2, 1)
    assert again.status_code == 409
    assert _adjustments(sqlite_store) == [
        ("lineside/erp", f"reconciliation/{report}/1"),
        ("lineside/erp", f"reconciliation/{report}/2"),
    ]
    assert nudged.plants == [("P100", 2)]


def test_proposals_are_listed_shown_and_turned_down_over_the_api(
    client: FlaskClient, people: dict[str, Any], report: int
) -> None:
    for number in (1, 2):
        body = {"kind": "adjust", "number": number, **REASON}
        client.post(f"{REPORTS}/{report}/proposals", json=body, headers=people["ada"])
    rejected = client.post(f"{PROPOSALS}/2/reject", json=REASON, headers=people["ada"])

    first = client.get(f"{PROPOSALS}?limit=1", headers=people["eve"]).json
    rest = client.get(first["next"], headers=people["eve"]).json
    still = client.get(f"{PROPOSALS}?state=proposed&reconciliation={report}", headers=people["eve"]).json["proposals"]
    shown = client.get(f"{PROPOSALS}/2", headers=people["eve"]).json

    assert rejected.json["state"] == "rejected"
    assert [one["number"] for one in first["proposals"] + rest["proposals"]] == [2, 1]
    assert (rest["next"], [one["number"] for one in still]) == (None, [1])
    assert (shown["decision"], shown["outcome"]) == ("counted on Sunday", None)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("{report}/proposals", {"kind": "take_over"}, 422),
        ("{report}/proposals", {"kind": "give_away", **REASON}, 422),
        ("{report}/proposals", {"kind": "adjust", "number": 0, **REASON}, 422),
        ("{report}/proposals", {"kind": "adjust", "number": 9, **REASON}, 409),
        ("{report}/proposals", {"kind": "adjust", "number": 3, **REASON}, 409),
        ("99/proposals", {"kind": "adjust", "number": 1, **REASON}, 404),
        ("{report}/differences/9/requeue", {}, 404),
        ("99/differences/1/requeue", {"dry_run": True}, 404),
    ],
)
def test_what_cannot_be_proposed_is_answered_so(
    client: FlaskClient, people: dict[str, Any], report: int, path: str, body: dict[str, Any], status: int
) -> None:
    answer = client.post(f"{REPORTS}/{path.format(report=report)}", json=body, headers=people["ada"])

    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_a_source_proposes_nothing(client: FlaskClient, sqlite_store: Store, report: int) -> None:
    key = key_for(sqlite_store)

    assert client.get(PROPOSALS, headers=key).status_code == 403
    body = {"kind": "take_over", **REASON}
    assert client.post(f"{REPORTS}/{report}/proposals", json=body, headers=key).status_code == 403


def test_each_difference_tells_its_fixes_over_the_api(client: FlaskClient, people: dict[str, Any], report: int) -> None:
    (first, *_) = client.get(f"{REPORTS}/{report}/differences", headers=people["eve"]).json["differences"]

    told = "Adjust the ledger by 7 EA, once a second person approves"
    assert first["fixes"] == [
        {"kind": "adjust", "told": told, "command": f"lineside reconcile adjust {report} 1", "ids": []}
    ]


def test_two_people_do_it_in_the_console(
    client: FlaskClient, people: dict[str, Any], report: int, sqlite_store: Store
) -> None:
    log_in(client, "ada")
    page = client.get(f"/reconciliations/{report}").text
    asked = client.get(f"/reconciliations/{report}/propose?kind=take_over").text
    form = {"csrf_token": csrf_of(asked), "kind": "take_over", **REASON}
    told = client.post(f"/reconciliations/{report}/propose", data=form, follow_redirects=True).text
    own = client.get("/proposals").text
    refused = client.post("/proposals/1/approve", data={"csrf_token": form["csrf_token"]}, follow_redirects=True).text

    assert "Take over what is unexplained" in page
    assert "Difference 3 is left out: the topology has no plant P900." in asked
    assert "is proposed by ada" in told
    assert ("You proposed it" in own, "Approve proposal 1" in own) == (True, False)
    assert "another person has to approve it" in refused

    client.post("/logout", data={"csrf_token": form["csrf_token"]})
    log_in(client, "bob")
    listed = client.get("/proposals").text
    done = client.post("/proposals/1/approve", data={"csrf_token": csrf_of(listed)}, follow_redirects=True).text
    assert "Approve proposal 1" in listed
    assert "2 adjustments are in the inbox. 1 were left out" in done
    assert len(_adjustments(sqlite_store)) == 2


def test_a_viewer_sees_what_is_proposed_and_can_do_nothing(
    client: FlaskClient, people: dict[str, Any], report: int
) -> None:
    client.post(f"{REPORTS}/{report}/proposals", json={"kind": "take_over", **REASON}, headers=people["ada"])
    log_in(client, "eve")

    pages = client.get("/proposals").text + client.get(f"/reconciliations/{report}").text

    assert "counted on Sunday" in pages
    assert "<button>Approve" not in pages
    assert f"/reconciliations/{report}/propose" not in pages
    assert client.get(f"/reconciliations/{report}/propose?kind=take_over").status_code == 403


@pytest.fixture
def command(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.setenv("LINESIDE_DATABASE_URL", str(sqlite_store.url))
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    monkeypatch.setenv("LINESIDE_CONFIG", str(PACKAGED))

    def run(*arguments: str, who: str = "cli:ada") -> Result:
        monkeypatch.setattr(commands, "terminal_actor", lambda: who)
        return CliRunner().invoke(main, ["reconcile", *arguments])

    return run


def test_two_people_do_it_at_a_terminal(command: Command, report: int, sqlite_store: Store) -> None:
    preview = command("take-over", str(report), "--dry-run")
    proposed = command("take-over", str(report))
    own = command("approve", "1")
    approved = command("approve", "1", who="cli:bob")
    again = command("approve", "1", who="cli:bob")
    listed = command("proposals", "--json")

    assert (preview.exit_code, "2 adjustments of the ledger." in preview.stdout) == (0, True), preview.output
    assert "lineside reconcile approve 1" in proposed.stdout
    assert (own.exit_code, "another person has to approve it" in own.stderr) == (1, True)
    assert (approved.exit_code, "2 adjustments are in the inbox." in approved.stdout) == (0, True)
    assert "Left out: 3, the topology has no plant P900." in approved.stdout
    assert (again.exit_code, "is approved by cli:bob" in again.stderr) == (1, True)
    assert [one["state"] for one in json.loads(listed.stdout)["proposals"]] == ["approved"]
    assert len(_adjustments(sqlite_store)) == 2


def test_what_cannot_be_done_is_told_at_a_terminal(command: Command, report: int) -> None:
    answers = [
        (command("adjust", str(report), "--reason", "why"), 2, "Give the number of a difference, or --all."),
        (command("adjust", str(report), "9", "--reason", "why"), 1, "has no difference 9"),
        (command("take-over", "99"), 1, "There is no reconciliation 99."),
        (command("reject", "9", "--reason", "why"), 1, "There is no proposal 9."),
        (command("requeue", str(report), "1"), 1, ""),
        (command("proposals"), 1, "Nothing was proposed."),
    ]

    assert [(got.exit_code, text in got.stderr) for got, _, text in answers] == [(code, True) for _, code, _ in answers]
    assert command("adjust", str(report), "1", "--reason", "why").exit_code == 0
    assert command("reject", "1", "--reason", "no").exit_code == 0
