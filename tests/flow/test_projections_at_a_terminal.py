"""`lineside projections`: what is left, and building the picture anew."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import update

from app.audit.trail import read_trail
from app.cli import main
from app.projections.projector import project
from app.store.ledger_tables import Effect
from app.store.session import Store
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books


@pytest.fixture
def posted(sqlite_store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> int:
    monkeypatch.setenv("LINESIDE_DATABASE_URL", str(sqlite_store.url))
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    know_items(sqlite_store)
    (moved,) = accept(sqlite_store, move_event())
    run_once(pipeline(sqlite_store, {"erp": Books()}))
    return moved


@pytest.mark.usefixtures("posted")
def test_projections_tell_whether_anything_is_left(sqlite_store: Store) -> None:
    left = CliRunner().invoke(main, ["projections"])
    as_json = CliRunner().invoke(main, ["projections", "--json"])
    project(sqlite_store, lambda: NOON, 5.0)
    none = CliRunner().invoke(main, ["projections"])

    assert (left.exit_code, "1 messages are still to be entered" in left.stdout) == (1, True)
    assert (as_json.exit_code, json.loads(as_json.stdout)["messages"]) == (1, 1)
    assert (none.exit_code, none.stdout) == (0, "All that took effect is entered.\n")


def test_those_that_cannot_be_entered_are_named_with_the_reason(sqlite_store: Store, posted: int) -> None:
    with sqlite_store.writing() as session:
        session.execute(update(Effect).values(fault="Its enriched document cannot be read (KeyError)."))

    told = CliRunner().invoke(main, ["projections"])
    as_json = CliRunner().invoke(main, ["projections", "--json"])

    assert told.exit_code == 1
    assert told.stdout.endswith(f"\n  {posted}: Its enriched document cannot be read (KeyError).\n")
    assert [one["message_id"] for one in json.loads(as_json.stdout)["faulty"]] == [posted]


@pytest.mark.usefixtures("posted")
def test_projections_are_built_anew_and_the_trail_says_by_whom(sqlite_store: Store) -> None:
    project(sqlite_store, lambda: NOON, 5.0)

    built = CliRunner().invoke(main, ["projections", "rebuild", "--json"])

    assert built.exit_code == 0, built.output
    assert json.loads(built.stdout) == {
        "messages": 1,
        "left": {"messages": 0, "is_more": False, "since": None, "faults": 0},
    }
    with sqlite_store.reading() as session:
        (entry,) = read_trail(session, 10)
    assert (entry.action, entry.actor.startswith("cli:")) == ("projections.rebuilt", True)
