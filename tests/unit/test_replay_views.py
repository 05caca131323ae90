"""`/v1/admin/replay` and `lineside replay` say what would change, and do it only for a reason."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.clock import utc_now
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.store.session import Store
from config.topology_file import load_topology
from mappings.inbound.mes_json import move
from mappings.registry import INBOUND, InboundMapping
from tests.factories import accept, know_items
from tests.fakes import Books, Clock
from tests.reading import states
from tests.unit.test_mapping_diff import moved
from tests.web import Nudged, account_for, web_app

pytestmark = pytest.mark.slow
REPLAY = "/v1/admin/replay"


class Installed:
    """The packaged topology with books for targets; one move of it is posted."""

    def __init__(self, store: Store, home: Path) -> None:
        self.store, self.books, self.nudged = store, Books(), Nudged()
        self.topology = load_topology(None)
        self.clock = Clock(utc_now())
        know_items(store)
        self.ids = accept(store, moved(1, 4), moved(2, 6), at=self.clock())
        line = Pipeline(store, self.topology, lambda _: self.books, "test", clock=self.clock)
        transform_due(line, "P100", 10)
        enrich_due(line, "P100", 10)
        post_due(line, "P100", 10)
        app = web_app(store, home, self.topology, self.nudged, self.clock)
        self.client: FlaskClient = app.test_client()
        self.operator = account_for(store, Role.OPERATOR)

    def ask(self, **body: Any) -> Any:
        return self.client.post(REPLAY, json=body, headers=self.operator)


@pytest.fixture
def here(sqlite_store: Store, tmp_path: Path) -> Installed:
    found = Installed(sqlite_store, tmp_path)
    assert states(sqlite_store, *found.ids) == ["posted", "posted"]
    return found


@pytest.fixture
def boxes(here: Installed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Since these were posted, a piece is a box of ten to this mapping."""
    assert here.ids
    before = INBOUND["mes_json", "mes.move"]

    def to_canonical(payload: Any, context: Any) -> Any:
        found = move.to_canonical(payload, context)
        for event in found:
            event.data["quantity"]["uom"] = "BOX"
        return found

    monkeypatch.setitem(INBOUND, ("mes_json", "mes.move"), InboundMapping(before.read, to_canonical))


@pytest.fixture
def replay(sqlite_url: str, tmp_path: Path) -> Any:
    def call(*arguments: str) -> Result:
        environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}
        return CliRunner().invoke(main, ["replay", *arguments], env=environment)

    return call


@pytest.mark.usefixtures("boxes")
def test_a_look_tells_each_message_and_changes_nothing(here: Installed) -> None:
    answer = here.ask(ids=[*here.ids, 999], dry_run=True)

    assert answer.status_code == 200, answer.text
    told = answer.json
    assert [(one["id"], one["verdict"]) for one in told["messages"]] == [
        (here.ids[0], "changes"),
        (here.ids[1], "changes"),
        (999, "not_possible"),
    ]
    assert (told["count"], told["dry_run"], told["next"]) == (2, True, None)
    assert {"path": "inventory.moved.v1 quantity.uom", "old": "EA", "new": "BOX"} in told["messages"][0]["changes"]
    assert told["messages"][0]["reverses"]
    assert states(here.store, *here.ids) == ["posted", "posted"]
    assert here.nudged.plants == []


@pytest.mark.usefixtures("boxes")
def test_with_a_reason_those_that_change_are_replayed_and_the_plant_is_nudged(here: Installed) -> None:
    told = here.ask(ids=here.ids[:1], reason="they are boxes").json
    again = here.ask(ids=here.ids[:1], reason="they are boxes").json

    new = told["messages"][0]["replay"]
    assert states(here.store, here.ids[0], new) == ["posted", "received"]
    assert here.nudged.plants == [("P100", 2)]
    assert (again["count"], again["messages"][0]["verdict"]) == (0, "not_possible")


@pytest.mark.usefixtures("boxes")
def test_a_filter_goes_through_what_is_posted_newest_first_in_pages(here: Installed) -> None:
    first = here.ask(filter={"source": "mes-p100", "plant": "P100"}, limit=1, dry_run=True).json
    second = here.ask(filter={"source": "mes-p100", "plant": "P100"}, before=first["next"], dry_run=True).json
    none = here.ask(filter={"source": "mes-p200"}, dry_run=True).json

    assert [one["id"] for one in (*first["messages"], *second["messages"])] == here.ids[::-1]
    assert none["messages"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"ids": [1]}, "/reason"),
        ({"dry_run": True}, None),
        ({"ids": [1], "filter": {}, "dry_run": True}, None),
        ({"ids": list(range(1, 202)), "dry_run": True}, "/ids"),
        ({"filter": {"state": "dead"}, "dry_run": True}, "/filter/state"),
    ],
)
def test_a_request_that_does_not_say_what_or_why_is_refused(
    here: Installed, body: dict[str, Any], pointer: str | None
) -> None:
    answer = here.ask(**body)

    assert answer.status_code == 422
    assert [error.get("pointer") for error in answer.json.get("errors", [])] == ([pointer] if pointer else [])


def test_a_viewer_may_not_replay(here: Installed) -> None:
    viewer = account_for(here.store, Role.VIEWER)

    assert here.client.post(REPLAY, json={"ids": here.ids, "dry_run": True}, headers=viewer).status_code == 403


@pytest.mark.usefixtures("boxes")
def test_the_command_shows_first_and_acts_for_a_reason(here: Installed, replay: Any) -> None:
    shown = replay("--source", "mes-p100", "--since", "1d")
    done = replay(str(here.ids[0]), "--reason", "they are boxes", "--json")

    assert shown.exit_code == 0, shown.output
    assert f"message {here.ids[0]}  changes" in shown.output
    assert "inventory.moved.v1 quantity.uom: EA -> BOX" in shown.output
    assert "2 looked at, 2 would be replayed; --reason TEXT does it." in shown.output
    told = json.loads(done.output)
    assert done.exit_code == 0
    assert states(here.store, told["messages"][0]["replay"]) == ["received"]


@pytest.mark.usefixtures("here")
def test_the_command_says_what_cannot_be_replayed_and_what_it_needs(replay: Any) -> None:
    unknown, nothing, why = replay("999"), replay(), replay("1", "--reason", "x")

    assert (unknown.exit_code, nothing.exit_code, why.exit_code) == (1, 2, 2)
    assert "message 999  not possible: There is no message 999." in unknown.output
