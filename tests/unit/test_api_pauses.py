"""Plants and targets are paused and resumed over the API and at a terminal, and the trail says by whom and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.access.roles import Role
from app.cli import main
from app.postings.circuit import Told
from app.postings.room import hold_room
from app.store.session import Store
from config.topology import CircuitPolicy
from tests.factories import NOON, demo_topology
from tests.web import Nudged, account_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, nudged=nudged).test_client()


def open_circuit(store: Store) -> None:
    target = replace(demo_topology().targets["erp"], circuit=CircuitPolicy(failures=2))
    with store.writing() as session:
        hold_room(session, {"erp": target}, {"erp": Told(failed=2)}, "P100", NOON)


@pytest.mark.parametrize(("kind", "code"), [("plants", "P100"), ("targets", "erp")])
def test_what_a_person_pauses_is_told_with_the_reason_and_goes_on_when_resumed(
    client: FlaskClient, sqlite_store: Store, nudged: Nudged, kind: str, code: str
) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)
    path = f"/v1/admin/{kind}/{code}"

    first, again = (client.post(f"{path}/pause", headers=operator, json={"reason": "stocktaking"}) for _ in range(2))
    told = client.get("/v1/admin/queues", headers=operator).json
    resumed, not_paused = (client.post(f"{path}/resume", headers=operator) for _ in range(2))

    (paused,) = (one["paused"] for one in told[kind] if one["paused"])
    trail = client.get("/v1/admin/audit", headers=operator).json["entries"]
    assert (first.json["paused"], again.status_code) == (True, 409)
    assert (paused["reason"], paused["actor"]) == ("stocktaking", "operator")
    assert (resumed.status_code, not_paused.status_code) == (200, 409)
    assert [entry["action"] for entry in trail[:2]] == [f"{kind[:-1]}.resumed", f"{kind[:-1]}.paused"]
    assert nudged.plants


@pytest.mark.parametrize("path", ["plants/P900/pause", "plants/P900/resume", "targets/epr/pause", "targets/epr/resume"])
def test_what_the_topology_does_not_know_is_not_found(client: FlaskClient, sqlite_store: Store, path: str) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)

    assert client.post(f"/v1/admin/{path}", headers=operator, json={"reason": "why not"}).status_code == 404


def test_a_pause_needs_a_reason_and_an_operator(client: FlaskClient, sqlite_store: Store) -> None:
    operator, viewer = (account_for(sqlite_store, role) for role in (Role.OPERATOR, Role.VIEWER))
    path = "/v1/admin/plants/P100/pause"

    assert client.post(path, headers=operator, json={}).status_code == 422
    assert client.post(path, headers=viewer, json={"reason": "stocktaking"}).status_code == 403


def test_a_target_that_is_left_alone_is_shown_and_tried_at_once_when_a_person_says_so(
    client: FlaskClient, sqlite_store: Store
) -> None:
    operator = account_for(sqlite_store, Role.OPERATOR)
    open_circuit(sqlite_store)

    (told,) = client.get("/v1/admin/queues", headers=operator).json["targets"]
    metrics = client.get("/metrics").text
    answer = client.post("/v1/admin/targets/erp/resume", headers=operator)
    (after,) = client.get("/v1/admin/queues", headers=operator).json["targets"]

    assert (told["circuit"], told["failures"], told["retry_at"]) == ("open", 2, "2026-03-02T12:00:05.000Z")
    assert 'lineside_target_circuit{state="open",target="erp"} 1.0' in metrics
    assert 'lineside_plant_paused{plant="P100"} 0.0' in metrics
    assert (answer.status_code, after["circuit"]) == (200, "half_open")


def test_plants_and_targets_are_paused_at_a_terminal(sqlite_url: str, tmp_path: Path) -> None:
    environment = {"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_url, "LINESIDE_CONFIG": ""}

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, arguments, env=environment)
        return result.exit_code, result.output

    assert run("plants", "pause", "P100", "--reason", "stocktaking")[0] == 0
    assert run("plants", "pause", "P100", "--reason", "stocktaking")[0] == 1
    assert run("plants", "pause", "P900", "--reason", "stocktaking")[0] == 1
    assert run("targets", "pause", "wms", "--reason", "moves house")[0] == 0

    plants = json.loads(run("plants", "list", "--json")[1])["plants"]
    targets = json.loads(run("targets", "list", "--json")[1])["targets"]
    assert [plant["plant"] for plant in plants if plant["paused"]] == ["P100"]
    assert [target["target"] for target in targets if target["paused"]] == ["wms"]
    assert "moves house" in run("targets", "list")[1]
    assert [run("plants", "resume", "P100")[0], run("targets", "resume", "wms")[0]] == [0, 0]
    assert [run("plants", "resume", "P100")[0], run("targets", "resume", "wms")[0]] == [1, 1]
