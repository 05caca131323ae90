"""The feed over HTTP and as files: the same events in the same order, whoever asks in whatever form."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.store.session import Store
from tests.flow.hooks import Hooks
from tests.web import account_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def hooks(store: Store, tmp_path: Path) -> Hooks:
    return Hooks(store, tmp_path)


@pytest.fixture
def client(store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(store, tmp_path).test_client()


@pytest.fixture
def viewer(store: Store) -> dict[str, str]:
    return account_for(store, Role.VIEWER)


def _lines(answer: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


def test_pages_follow_each_other_behind_the_cursor_and_nothing_is_given_twice(
    hooks: Hooks, client: FlaskClient, viewer: dict[str, str]
) -> None:
    ids = hooks.tell("L1", None, "L2")

    first = client.get("/v1/events?limit=2", headers=viewer)
    second = client.get(f"/v1/events?after={first.headers['Lineside-Next']}", headers=viewer)
    end = client.get(f"/v1/events?after={second.headers['Lineside-Next']}", headers=viewer)
    new = hooks.tell("L3")
    third = client.get(f"/v1/events?after={end.headers['Lineside-Next']}", headers=viewer)

    assert first.mimetype == "application/x-ndjson"
    assert (first.headers["Lineside-More"], second.headers["Lineside-More"]) == ("true", "false")
    assert [event["id"] for event in _lines(first) + _lines(second)] == ids
    assert _lines(end) == []
    assert [event["id"] for event in _lines(third)] == new
    assert f"after={first.headers['Lineside-Next']}" in first.headers["Link"]


def test_it_is_read_from_its_end_or_from_an_instant(hooks: Hooks, client: FlaskClient, viewer: dict[str, str]) -> None:
    hooks.tell("L1")
    latest = client.get("/v1/events?after=latest", headers=viewer).headers["Lineside-Next"]
    new = hooks.tell("L2")

    assert [event["id"] for event in _lines(client.get(f"/v1/events?after={latest}", headers=viewer))] == new
    assert len(_lines(client.get("/v1/events?since=2026-03-02T12:00:00Z", headers=viewer))) == 2
    assert _lines(client.get("/v1/events?since=2026-03-02T12:00:01Z", headers=viewer)) == []


def test_a_filter_names_types_plants_and_items(hooks: Hooks, client: FlaskClient, viewer: dict[str, str]) -> None:
    ids = hooks.tell("L1")

    for query, found in (
        ("type=inventory.moved.v1&plant=P100,P200&item=WHEEL-10", ids),
        ("type=production.completed.v1", []),
        ("plant=P200", []),
        ("item=OTHER", []),
    ):
        assert [event["id"] for event in _lines(client.get(f"/v1/events?{query}", headers=viewer))] == found


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=5000", "type=no.such.v1", "since=yesterday"])
def test_what_cannot_be_meant_is_refused(client: FlaskClient, viewer: dict[str, str], query: str) -> None:
    assert client.get(f"/v1/events?{query}", headers=viewer).status_code == 422


def test_a_parquet_file_read_back_holds_what_the_json_lines_say(
    hooks: Hooks, client: FlaskClient, viewer: dict[str, str]
) -> None:
    hooks.tell("L1", None, "L2")
    lines = _lines(client.get("/v1/events", headers=viewer))

    answer = client.get("/v1/events.parquet", headers=viewer)

    rows = pyarrow.parquet.read_table(io.BytesIO(answer.data)).to_pylist()
    assert answer.content_length == len(answer.data)
    assert answer.headers["Lineside-More"] == "false"
    assert [json.loads(row["data"]) for row in rows] == [event["data"] for event in lines]
    for row, event in zip(rows, lines, strict=True):
        assert (row["id"], row["type"], row["plant"], row["sender"]) == (
            *(event["id"], event["type"], event["plant"], event["sender"]),
        )
        assert (str(row["position"]), str(row["message_id"])) == (event["feedposition"], event["messageid"])
        assert row["time"].isoformat().replace("+00:00", "Z") == event["time"]
        assert (row["item"], row["quantity"], row["uom"]) == ("WHEEL-10", "2", "EA")
        assert row["ordering_key"] == event.get("partitionkey")


def test_a_file_of_more_than_its_bound_says_where_the_next_begins(
    hooks: Hooks, client: FlaskClient, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.events.FILE_EVENTS_MOST", 2)
    ids = hooks.tell("L1", None, "L2")

    first = client.get("/v1/events.parquet", headers=viewer)
    rest = client.get(f"/v1/events.parquet?after={first.headers['Lineside-Next']}", headers=viewer)

    read = [pyarrow.parquet.read_table(io.BytesIO(one.data)).column("id").to_pylist() for one in (first, rest)]
    assert read == [ids[:2], ids[2:]]
    assert (first.headers["Lineside-More"], rest.headers["Lineside-More"]) == ("true", "false")


def test_without_pyarrow_the_answer_says_how_to_get_it(
    client: FlaskClient, viewer: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    answer = client.get("/v1/events.parquet", headers=viewer)

    assert answer.status_code == 501
    assert "extra `parquet`" in answer.json["detail"]


@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_an_export_writes_the_span_to_a_file_and_says_where_to_go_on(
    sqlite_store: Store, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = Hooks(sqlite_store, tmp_path)
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    monkeypatch.setenv("LINESIDE_DATABASE_URL", sqlite_store.url)
    hooks.tell("L1")
    out = tmp_path / f"events.{form}"
    command = ["export", "events", "--format", form, "--out", str(out), "--json"]
    first = json.loads(CliRunner().invoke(main, command, catch_exceptions=False).output)
    new = hooks.tell("L2", "L3")

    rest = json.loads(
        CliRunner().invoke(main, [*command, "--after", str(first["next"])], catch_exceptions=False).output
    )

    assert (first["events"], rest["events"]) == (1, 2)
    if form == "parquet":
        assert pyarrow.parquet.read_table(out).column("id").to_pylist() == new
    else:
        assert [json.loads(line)["id"] for line in out.read_text().splitlines()] == new
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []
