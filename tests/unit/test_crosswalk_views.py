"""Crosswalks over the API, in the console and at a terminal: seen by who may look, changed by a named person."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.store.session import Store
from config.topology_file import PACKAGED, load_topology
from tests.web import account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow

PATH = "/v1/admin/crosswalks"
Change = Callable[..., Any]


@pytest.fixture
def app(sqlite_store: Store, tmp_path: Path) -> Flask:
    packaged = load_topology(None)
    source = replace(packaged.sources["mes-p100"], crosswalks=("reasons", "units"))
    topology = replace(packaged, sources={**packaged.sources, source.code: source})
    return web_app(sqlite_store, tmp_path, topology=topology)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def operator(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.OPERATOR)


def body(*entries: tuple[str, str | None], name: str = "units") -> dict[str, Any]:
    return {
        "system": "mes-p100",
        "name": name,
        "note": "as agreed",
        "entries": [{"value": value, "becomes": becomes} for value, becomes in entries],
    }


def test_entries_are_changed_and_listed_page_by_page(client: FlaskClient, operator: dict[str, str]) -> None:
    changed = client.post(PATH, json=body(("FASS", "DR"), ("KRT", "BOX"), ("STG", "EA")), headers=operator)
    again = client.post(PATH, json=body(("FASS", "DR"), ("STG", None)), headers=operator)

    first = client.get(f"{PATH}?system=mes-p100&limit=1", headers=operator).json
    rest = client.get(first["next"], headers=operator).json if first else None

    assert (changed.json, again.json) == ({"changed": 3}, {"changed": 1})
    assert first
    assert rest
    assert [(one["value"], one["becomes"]) for one in first["entries"] + rest["entries"]] == [
        ("FASS", "DR"),
        ("KRT", "BOX"),
    ]
    assert rest["next"] is None
    history = client.get(f"{PATH}/history?name=units&limit=1", headers=operator).json
    assert history
    (last,) = history["changes"]
    assert (last["value"], last["before"], last["after"], last["actor"]) == ("STG", "EA", None, "operator")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (body(("FASS", "DR"), name="unit"), 422),
        (body(), 422),
        (body(*[(f"U{number}", "EA") for number in range(501)]), 422),
        ({"system": "mes-p100"}, 422),
        (body(("FASS", "")), 422),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_nothing_of_it_is_kept(
    client: FlaskClient, operator: dict[str, str], sent: dict[str, Any], status: int
) -> None:
    answer = client.post(PATH, json=sent, headers=operator)

    assert answer.status_code == status
    assert client.get(PATH, headers=operator).json == {"entries": [], "next": None}


def test_a_viewer_looks_and_changes_nothing(client: FlaskClient, sqlite_store: Store) -> None:
    viewer = account_for(sqlite_store, Role.VIEWER)

    assert client.get(f"{PATH}/missing", headers=viewer).json == {"missing": []}
    assert client.post(PATH, json=body(("FASS", "DR")), headers=viewer).status_code == 403


@pytest.mark.parametrize("query", ["?after_system=x", "?after_system=a&after_name=b", "?limit=0", "?system=%00"])
def test_a_list_that_cannot_be_is_refused(client: FlaskClient, operator: dict[str, str], query: str) -> None:
    assert client.get(PATH + query, headers=operator).status_code == 422


def test_the_console_fills_in_changes_and_takes_out(app: Flask, operator: dict[str, str]) -> None:
    client = app.test_client()
    log_in(client, "operator")
    token = csrf_of(client.get("/crosswalks").text)
    entry = {"csrf_token": token, "table": "mes-p100/units", "value": "FASS", "note": "as agreed"}

    told = [
        client.post("/crosswalks", data=entry | {"becomes": "DR"}, follow_redirects=True).text,
        client.post("/crosswalks", data=entry | {"becomes": "<b>"}, follow_redirects=True).text,
        client.post("/crosswalks", data=entry | {"remove": "yes"}, follow_redirects=True).text,
        client.post("/crosswalks", data=entry | {"table": "mes-p100/unit"}, follow_redirects=True).text,
    ]

    assert "FASS becomes DR" in told[0]
    assert "DR → &lt;b&gt;" in told[1]
    assert "<b>" not in told[1]
    assert "FASS is taken out" in told[2]
    assert "did you mean units?" in told[3]


@pytest.fixture
def run(sqlite_url: str, tmp_path: Path) -> Callable[..., Result]:
    topology = tmp_path / "topology.yaml"
    packaged = PACKAGED.read_text(encoding="utf-8")
    used = packaged.replace("    mapping: mes_json ", "    crosswalks: [units]\n    mapping: mes_json ")
    assert used != packaged
    topology.write_text(used, encoding="utf-8")
    values = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": str(topology)}
    return lambda *arguments, typed=None: CliRunner().invoke(main, ["crosswalk", *arguments], env=values, input=typed)


def test_a_file_of_entries_is_loaded_and_told(run: Callable[..., Result]) -> None:
    rows = "value,becomes\n" + "".join(f"U{number},EA\n" for number in range(1_201))

    loaded = run("load", "mes-p100", "units", "-", typed=rows)
    again = run("load", "mes-p100", "units", "-", typed=rows + "NEW,KG\n")
    listed = run("list", "--json")

    assert (loaded.exit_code, "1,201 entries read, 1,201 of them new" in loaded.output) == (0, True)
    assert "1,202 entries read, 1 of them new or changed" in again.output
    assert len(json.loads(listed.stdout)["entries"]) == 1_202


def test_each_change_at_a_terminal_is_told_and_refused_with_the_mend(run: Callable[..., Result]) -> None:
    empty = run("missing")
    done = run("set", "mes-p100", "units", "FASS", "DR", "--note", "as agreed")
    wrong = run("set", "mes-p100", "unit", "FASS", "DR")
    bad = run("load", "mes-p100", "units", "-", typed="from,to\nA,B\n")
    gone = [run("remove", "mes-p100", "units", "FASS") for _ in range(2)]
    history = run("history")

    assert (empty.exit_code, done.exit_code, wrong.exit_code, bad.exit_code) == (1, 0, 1, 2)
    assert "did you mean units?" in wrong.output
    assert "must name the columns value,becomes" in bad.output
    assert [each.exit_code for each in gone] == [0, 1]
    assert "mes-p100/units FASS: (none) -> DR  as agreed" in history.output
