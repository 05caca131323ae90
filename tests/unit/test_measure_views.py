"""Measures over the API, as metrics, at a terminal and in the console."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.orm import Session

from app.access.roles import Role
from app.cli import main
from app.console.charts import HEIGHT, WIDTH, bars
from app.projections import measures as reading
from app.projections.measures import Question, query_of
from app.projections.measuring import Counted, Lasted, Tally, Yardstick
from app.projections.processes import Process
from app.store.session import Store
from tests.factories import NOON, demo_topology
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow

SECONDS = [1.0] * 90 + [100.0] * 10


def fill(store: Store, now: datetime = NOON) -> None:
    """A hundred moves of P100 today, ten of them slow, and one completion of P200 the day before."""
    tally = Tally(Yardstick.of(demo_topology()))
    for seconds in SECONDS:
        tally.count("P100", now, Process.INVENTORY, Counted.POSTED)
        within = Counted.WITHIN_LEVEL if seconds <= 60 else Counted.BEYOND_LEVEL
        tally.count("P100", now, Process.INVENTORY, within)
        tally.lasted("P100", now, Process.INVENTORY, Lasted.EVENT_TO_POSTED, seconds)
    tally.count("P100", now, Process.INVENTORY, Counted.HANDLED)
    yesterday = now - timedelta(days=1)
    tally.count("P200", yesterday, Process.PRODUCTION, Counted.POSTED)
    tally.lasted("P200", yesterday, Process.PRODUCTION, Lasted.EVENT_TO_POSTED, 5.0)
    with store.writing() as session:
        tally.write(session)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    fill(store)
    return web_app(store, tmp_path).test_client()


@pytest.fixture
def viewer(store: Store) -> dict[str, str]:
    return account_for(store, Role.VIEWER)


def ask(client: FlaskClient, headers: dict[str, str], query: str = "") -> Any:
    answer = client.get(f"/v1/measures?{query}", headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_percentiles_and_shares_are_told_by_plant_and_process(client: FlaskClient, viewer: dict[str, str]) -> None:
    rows = ask(client, viewer)["measures"]

    assert [(row["plant"], row["process"], row["day"]) for row in rows] == [
        ("P100", "inventory", None),
        ("P200", "production", None),
    ]
    moved = rows[0]
    assert moved["event_to_posted"]["count"] == 100
    assert (moved["event_to_posted"]["p50_seconds"], moved["event_to_posted"]["p95_seconds"]) == (1.0, 100.0)
    assert moved["service_level_attainment"] == 0.9
    assert moved["handled_share"] == 0.01
    assert moved["resolution"]["p95_seconds"] is None


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("group=day", [(None, None, "2026-03-01", 1), (None, None, "2026-03-02", 100)]),
        ("group=plant", [("P100", None, None, 100), ("P200", None, None, 1)]),
        ("plant=P200&group=process", [(None, "production", None, 1)]),
        ("process=inventory&group=plant,day", [("P100", None, "2026-03-02", 100)]),
        ("from=2026-03-01&to=2026-03-01", [("P200", "production", None, 1)]),
        ("to=2026-02-01", []),
    ],
)
def test_measures_are_added_up_by_what_is_asked_for(
    client: FlaskClient, viewer: dict[str, str], query: str, expected: list[Any]
) -> None:
    rows = ask(client, viewer, query)["measures"]

    assert [(row["plant"], row["process"], row["day"], row["counts"]["posted"]) for row in rows] == expected


@pytest.mark.parametrize(
    "query",
    [
        "plant=P9",
        "process=sales",
        "group=hour",
        "from=2026-02-30",
        "from=2026-03-03&to=2026-03-02",
        "from=2020-01-01",
        "to=0001-01-01",
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_name(sqlite_store: Store, tmp_path: Path, query: str) -> None:
    viewer = account_for(sqlite_store, Role.VIEWER)

    answer = web_app(sqlite_store, tmp_path).test_client().get(f"/v1/measures?{query}", headers=viewer)

    assert answer.status_code == 422
    assert answer.json["errors"][0]["place"].startswith("query ")


def test_what_would_be_too_much_for_one_answer_is_refused(
    client: FlaskClient, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "ROWS_MOST", 2)

    assert client.get("/v1/measures", headers=viewer).status_code == 422


def test_prometheus_is_told_histograms_that_its_own_parser_reads(client: FlaskClient) -> None:
    text = client.get("/metrics").text

    families = {family.name: family for family in text_string_to_metric_families(text)}
    took = [s for s in families["lineside_process_seconds"].samples if s.labels["plant"] == "P100"]
    told = {float(s.labels["le"]): s.value for s in took if s.name.endswith("_bucket")}
    assert (told[0.3162], told[1.0], told[31.62], told[100.0], told[float("inf")]) == (0, 90, 90, 100, 100)
    outcomes = {(s.labels["plant"], s.labels["outcome"]): s.value for s in families["lineside_outcomes"].samples}
    assert outcomes["P100", "beyond_level"] == 10


def test_the_console_draws_them_and_says_them(client: FlaskClient, store: Store) -> None:
    account_for(store, Role.VIEWER)
    log_in(client, "viewer")

    page = client.get("/measures").text
    empty = client.get("/measures?from=2026-01-01&to=2026-01-02").text

    assert "90.0 %" in page
    assert page.count("<svg") == 8
    assert "2026-03-02: 1.67 min" in page
    assert "Nothing ended on these days." in empty


def test_a_terminal_shows_a_table_or_one_json_object(
    sqlite_store: Store, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(sqlite_store, datetime.now(UTC))
    monkeypatch.setenv("LINESIDE_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))

    table = CliRunner().invoke(main, ["measures"])
    told = CliRunner().invoke(main, ["measures", "--plant", "P100", "--by", "process", "--json"])
    nothing = CliRunner().invoke(main, ["measures", "--to", "2020-01-01"])
    unknown = CliRunner().invoke(main, ["measures", "--plant", "P999"])

    assert table.exit_code == 0, table.output
    assert "inventory" in table.output
    assert "90.0%" in table.output
    assert [row["counts"]["posted"] for row in json.loads(told.output)["measures"]] == [100]
    assert (nothing.exit_code, unknown.exit_code) == (1, 2)


def test_sums_of_many_days_are_read_by_index(store: Store) -> None:
    with store.reading() as session:
        plan = _plan(session)

    assert "measures" in plan
    assert "SCAN" not in plan
    assert "Seq Scan" not in plan


def _plan(session: Session) -> str:
    if session.connection().dialect.name == "postgresql":
        session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")
    asked = Question(["P100", "P200"], ["inventory"], NOON.date(), NOON.date())
    statement = query_of(asked).compile(session.connection(), compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN " if session.connection().dialect.name == "sqlite" else "EXPLAIN "
    return " ".join(str(row) for row in session.connection().exec_driver_sql(f"{explain}{statement}"))


def test_bars_stand_side_by_side_and_what_is_little_can_be_seen() -> None:
    drawn = bars([("a", 10.0), ("b", 0.001), ("c", None), ("d", 0.0)], 10.0)

    assert [bar.height > 0 for bar in drawn] == [True, True, False, False]
    assert drawn[0].height == HEIGHT
    assert all(left.x + left.width < right.x for left, right in pairwise(drawn))
    assert drawn[-1].x + drawn[-1].width <= WIDTH
