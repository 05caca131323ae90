"""`lineside retention`: the rules, what would leave, what left, and reading it back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from app.access.roles import Role
from app.audit.trail import read_trail
from app.cli import main
from app.projections.projector import project
from app.store.messages_tables import Message
from app.store.session import Store
from config.topology_file import PACKAGED
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def answer(result: Result) -> Any:
    return json.loads(result.stdout)


@pytest.fixture
def moved(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    """A movement of long ago, in an installation that keeps movements for 30 days."""
    topology = tmp_path / "topology.yaml"
    topology.write_text(PACKAGED.read_text("utf-8") + "\nretention:\n  inventory: {posted: 30}\n", "utf-8")
    monkeypatch.setenv("LINESIDE_DATABASE_URL", str(sqlite_store.url))
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    monkeypatch.setenv("LINESIDE_CONFIG", str(topology))
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event("m1", lot="A"))
    run_once(pipeline(sqlite_store, {"erp": Books()}))
    project(sqlite_store, lambda: NOON, 5.0)
    return moved


def test_what_left_is_told_by_every_command(moved: int, sqlite_store: Store) -> None:
    would = answer(call("retention", "run", "--dry-run", "--json"))
    done = answer(call("retention", "run", "--json"))
    shown = call("retention")
    traced = call("trace", str(moved))
    file = done["files"][0]
    listed, restored = call("retention", "restore", file), call("retention", "restore", file, "--message", str(moved))

    assert would == {"would_leave": [{"domain": "inventory", "state": "posted", "messages": 1}], "messages": 1}
    assert (done["deleted"], done["stood_back"]) == (1, False)
    assert "inventory      posted 30 days" in shown.stdout
    assert "1 messages lie in 1 files" in shown.stdout
    assert f"to {file} on" in traced.stdout
    assert listed.stdout.split() == [str(moved), "posted", "mes", "inventory.moved.v1", "m1"]
    assert json.loads(restored.stdout)["message"]["source_message_id"] == "m1"
    with sqlite_store.reading() as session:
        assert [one.action for one in read_trail(session, 10)] == ["retention.run", "messages.exported"]


@pytest.mark.usefixtures("moved")
def test_a_file_that_was_changed_is_not_believed_though_its_manifest_was_changed_too(tmp_path: Path) -> None:
    file = answer(call("retention", "run", "--json"))["files"][0]
    path = tmp_path / "retained" / file
    path.write_bytes(path.read_bytes() + b"\0")

    result = call("retention", "restore", file)

    assert result.exit_code == 2
    assert "is not the file that was exported" in result.stderr


def test_without_rules_everything_is_kept(moved: int, sqlite_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESIDE_CONFIG", str(PACKAGED))

    result, done = call("retention"), call("retention", "run", "--json")

    assert result.exit_code == 1
    assert "everything is kept" in result.stderr
    assert answer(done)["deleted"] == 0
    with sqlite_store.reading() as session:
        assert session.scalar(select(Message.archive_id).where(Message.id == moved)) is None


def test_api_and_page_of_a_message_that_left_say_where_it_stands(
    moved: int, sqlite_store: Store, tmp_path: Path
) -> None:
    file = answer(call("retention", "run", "--json"))["files"][0]
    viewer = account_for(sqlite_store, Role.VIEWER)
    client = web_app(sqlite_store, tmp_path).test_client()

    told = client.get(f"/v1/messages/{moved}", headers=viewer).get_json()
    payload = client.get(f"/v1/messages/{moved}/payload", headers=viewer)
    document = client.get(f"/v1/messages/{moved}/documents/canonical", headers=viewer)
    log_in(client, "viewer")
    page = client.get(f"/messages/{moved}")

    assert told["archive"]["file"] == file
    assert "payload" not in told["links"]
    assert [payload.status_code, document.status_code, page.status_code] == [404, 404, 200]
    assert all(file in text for text in (payload.get_json()["detail"], document.get_json()["detail"], page.text))
