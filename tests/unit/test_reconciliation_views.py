"""Reconciliations over the API, in the console and at a terminal."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.projections.ledger import Entry, enter
from app.projections.movements import Kind, Leg, Place
from app.reconcile.compare import Balance
from app.reconcile.keys import Level
from app.reconcile.reports import reconcile
from app.reconcile.snapshots import save_snapshot
from app.store.session import Store
from config.topology_file import PACKAGED
from tests.factories import NOON, demo_topology
from tests.web import account_for, key_for, log_in, web_app

pytestmark = pytest.mark.slow

PATH = "/v1/reconciliations"
HEADER = "plant,item,quantity,uom\n"
Command = Callable[..., Result]


def _entered(store: Store, *items: str) -> None:
    entries = [
        Entry(n, 0, 0, Leg(Place("P100", item, "EA"), Kind.RECEIVED, Decimal(5)), NOON)
        for n, item in enumerate(items, 1)
    ]
    with store.writing() as session:
        enter(session, entries, NOON)


@pytest.fixture
def report(sqlite_store: Store) -> int:
    """Three items of which the ERP has more, less and an odd one."""
    _entered(sqlite_store, "A-1", "B-1", "=SUM(1)")
    rows = [("A-1", "7"), ("B-1", "5"), ("=SUM(1)", "4.5")]
    balances = [Balance("P100", item, "", "", Decimal(amount), "EA") for item, amount in rows]
    with sqlite_store.writing() as session:
        snapshot = save_snapshot(session, "erp", NOON, "<a file>", "ada", balances)
    return reconcile(sqlite_store, demo_topology(), snapshot, Level.ITEM, "ada", NOON).id


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, report: int) -> FlaskClient:
    account_for(sqlite_store, Role.VIEWER)
    client = web_app(sqlite_store, tmp_path).test_client()
    log_in(client, "viewer")
    return client


def test_what_was_compared_is_listed_and_shown_over_the_api(client: FlaskClient, report: int) -> None:
    (listed,) = client.get(PATH).json["reconciliations"]
    shown = client.get(f"{PATH}/{report}").json
    none = client.get(f"{PATH}?system=wms").json["reconciliations"]

    assert (listed["id"], listed["compared"], listed["differences"], listed["unexplained"]) == (report, 3, 2, 2)
    assert (shown["taken_at"], shown["origin"], shown["balances"]) == ("2026-03-02T12:00:00.000Z", "<a file>", 3)
    assert none == []


def test_its_differences_come_page_by_page_and_as_csv_that_no_spreadsheet_calculates(
    client: FlaskClient, report: int
) -> None:
    first = client.get(f"{PATH}/{report}/differences?limit=1&unexplained=true").json
    rest = client.get(first["next"]).json
    table = client.get(f"{PATH}/{report}/differences.csv")

    told = [(one["item"], one["difference"], one["unexplained"]) for one in first["differences"] + rest["differences"]]
    assert told == [("=SUM(1)", "-0.5", "-0.5"), ("A-1", "2", "2")]
    assert rest["next"] is None
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [(row["item"], row["system"], row["unexplained"]) for row in rows] == [
        ("'=SUM(1)", "4.5", "-0.5"),
        ("A-1", "7", "2"),
    ]


@pytest.mark.parametrize("path", ["/99", "/99/differences", "/99/differences.csv", f"/{10**30}"])
def test_a_report_that_is_not_there_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(PATH + path).status_code == 404


def test_the_console_shows_what_is_unexplained(client: FlaskClient, report: int) -> None:
    listed = client.get("/reconciliations").text
    shown = client.get(f"/reconciliations/{report}?unexplained=true").text

    assert f'href="/reconciliations/{report}"' in listed
    assert "&lt;a file&gt;" in shown
    assert "\u22120.5" in shown
    assert "unexplained" in shown
    assert client.get("/reconciliations/99").status_code == 404


def test_a_source_sees_no_reconciliation(client: FlaskClient, sqlite_store: Store) -> None:
    client.get("/logout")

    assert client.get(PATH, headers=key_for(sqlite_store)).status_code == 403


@pytest.fixture
def command(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    monkeypatch.setenv("LINESIDE_DATABASE_URL", str(sqlite_store.url))
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    monkeypatch.setenv("LINESIDE_CONFIG", str(PACKAGED))
    _entered(sqlite_store, "A-1", "B-1")

    def run(*arguments: str, balances: str | None = None) -> Result:
        if balances is not None:
            (tmp_path / "balances.csv").write_text(balances, encoding="utf-8")
            arguments = (*arguments, "--file", str(tmp_path / "balances.csv"))
        return CliRunner().invoke(main, ["reconcile", *arguments])

    return run


def test_a_file_of_balances_is_compared_at_a_terminal(command: Command) -> None:
    same = command("run", "erp", balances=HEADER + "P100,A-1,5,EA\nP100,B-1,5.0,EA\n")
    other = command("run", "erp", "--json", balances="\ufeff" + HEADER.replace(",", ";") + "P100;A-1;8;EA\n")
    listed = json.loads(command("list", "--json").stdout)["reconciliations"]
    shown = command("show", str(listed[0]["id"]), "--csv")

    assert (same.exit_code, "2 compared by item, 0 differ, 0 of them unexplained" in same.stdout) == (0, True)
    told = json.loads(other.stdout)
    assert (other.exit_code, [(one["item"], one["difference"]) for one in told["found"]]) == (
        1,
        [("A-1", "3"), ("B-1", "-5")],
    )
    assert [cause["cause"] for cause in told["found"][1]["causes"]] == ["not_routed"]  # no message was posted to it
    assert [one["unexplained"] for one in listed] == [1, 0]
    assert shown.stdout.splitlines()[1].startswith("P100,A-1,,,EA,8,5,3,3,")


@pytest.mark.parametrize(
    ("balances", "told"),
    [
        ("", "line 1: the header lacks plant, item, quantity, uom"),
        (HEADER + "P100,A-1,many,EA\n", "line 2: quantity must be a decimal number"),
        (HEADER + "P100,A-1,1e30,EA\n", "line 2: quantity must have at most 21 digits"),
        (HEADER + "P100,A-1,NaN,EA\n", "line 2: quantity must have at most"),
        (HEADER + "P100,,1,EA\n", "line 2: item must have 1 to 80"),
        (HEADER + "P100,A-1,1\n", "line 2: 3 fields, and the header names 4"),
        (HEADER + 'P100,"A-1,1,EA\n', "unexpected end of data"),
    ],
)
def test_a_file_that_cannot_be_compared_names_the_line(command: Command, balances: str, told: str) -> None:
    result = command("run", "erp", balances=balances)

    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert command("list").exit_code == 1


def test_a_system_that_is_not_there_is_told_with_those_that_are(command: Command) -> None:
    unknown = command("run", "erpp", balances=HEADER)
    missing = command("show", "99")

    assert (unknown.exit_code, "has no target or source 'erpp'; it has: erp" in unknown.stderr) == (2, True)
    assert (missing.exit_code, "There is no reconciliation 99." in missing.stderr) == (1, True)
