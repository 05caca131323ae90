"""Ordering a reversal over the API, in the console and at the terminal; and what each then tells of it."""

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
from app.store.session import Store
from tests.flow.reversing import BLOCKED, Plant
from tests.web import Nudged, account_for, csrf_of, log_in, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def plant(sqlite_store: Store) -> Plant:
    plant = Plant(sqlite_store)
    plant.work(1)
    return plant


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def client(plant: Plant, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    app = web_app(plant.store, tmp_path, plant.line.topology, nudged, plant.clock)
    return app.test_client()


@pytest.fixture
def operator(plant: Plant) -> dict[str, str]:
    return account_for(plant.store, Role.OPERATOR)


def order(client: FlaskClient, headers: dict[str, str], message_id: int, **body: Any) -> Any:
    return client.post(f"/v1/admin/messages/{message_id}/reverse", headers=headers, json=body)


def test_an_operator_orders_a_reversal_and_the_answer_shows_it_under_its_original(
    client: FlaskClient, operator: dict[str, str], plant: Plant, nudged: Nudged
) -> None:
    answer = order(client, operator, plant.id, reason="counted wrongly")
    plant.work()
    shown = client.get(answer.headers["Location"], headers=operator).json

    assert answer.status_code == 202
    assert nudged.plants == [("P100", 1)]
    assert (shown["state"], shown["step"]) == ("compensated", None)
    assert [posting["state"] for posting in shown["postings"]] == ["compensated"] * 3
    assert [posting["reversal"]["reference"] for posting in shown["postings"]] == ["doc-2"] * 3
    assert shown["postings"][0]["reversal"]["attempts"][0]["outcome"] == "reversed"
    assert shown["postings"][0]["reversal"]["posting_key"] != shown["postings"][0]["posting_key"]


@pytest.mark.parametrize(("body", "status"), [({}, 422), ({"reason": "x"}, 422), ({"reason": "why", "and": 1}, 422)])
def test_a_reversal_needs_a_reason(
    client: FlaskClient, operator: dict[str, str], plant: Plant, body: dict[str, Any], status: int
) -> None:
    assert order(client, operator, plant.id, **body).status_code == status
    assert plant.state == "posted"


def test_what_cannot_be_reversed_says_why(client: FlaskClient, operator: dict[str, str], plant: Plant) -> None:
    order(client, operator, plant.id, reason="counted wrongly")

    again = order(client, operator, plant.id, reason="counted wrongly")
    unknown = order(client, operator, 999, reason="counted wrongly")

    assert (again.status_code, again.json["detail"]) == (409, f"Message {plant.id} is being reversed already.")
    assert unknown.status_code == 404


def test_a_viewer_orders_no_reversal(client: FlaskClient, plant: Plant) -> None:
    viewer = account_for(plant.store, Role.VIEWER)

    assert order(client, viewer, plant.id, reason="counted wrongly").status_code == 403


def test_the_message_page_has_the_button_and_then_the_reversals(
    client: FlaskClient, operator: dict[str, str], plant: Plant
) -> None:
    log_in(client, "operator")
    url = f"/messages/{plant.id}"
    before = client.get(url).text

    client.post(f"{url}/reverse", data={"csrf_token": csrf_of(before), "reason": "counted wrongly"})
    under_way = client.get(url).text
    plant.work()
    after = client.get(url).text

    assert 'id="reverse"' in before
    assert "It is being reversed" in under_way
    assert 'id="reverse"' not in under_way
    assert after.count("<h4>Reversal</h4>") == 3
    assert after.count("doc-2") >= 3
    assert "Reversal ordered: counted wrongly" in after


def test_the_message_page_takes_a_refused_reversal_as_made_by_hand(
    client: FlaskClient, operator: dict[str, str], plant: Plant
) -> None:
    plant.wms.before_reversal = [BLOCKED]
    plant.order()
    plant.work()
    log_in(client, "operator")
    url = f"/messages/{plant.id}"
    page = client.get(url).text

    form = {"csrf_token": csrf_of(page), "reason": "done in the WMS", "by_hand": "yes"}
    client.post(f"{url}/reverse", data=form)
    plant.work()

    assert 'name="by_hand"' in page
    assert plant.state == "compensated"
    assert "by hand" in client.get(url).text


def test_the_message_page_wants_a_reason(client: FlaskClient, operator: dict[str, str], plant: Plant) -> None:
    log_in(client, "operator")
    url = f"/messages/{plant.id}"

    client.post(f"{url}/reverse", data={"csrf_token": csrf_of(client.get(url).text), "reason": " "})

    assert "Say why it is reversed" in client.get(url).text
    assert plant.state == "posted"


def run(plant: Plant, home: Path, *arguments: str) -> Result:
    values = {"LINESIDE_HOME": str(home), "LINESIDE_DATABASE_URL": plant.store.url, "LINESIDE_CONFIG": ""}
    return CliRunner().invoke(main, arguments, env=values)


def test_a_reversal_is_ordered_at_the_terminal_and_traced(plant: Plant, tmp_path: Path) -> None:
    ordered = run(plant, tmp_path, "reverse", str(plant.id), "--reason", "counted wrongly", "--json")
    plant.clock.now = utc_now()
    plant.work()
    again = run(plant, tmp_path, "reverse", str(plant.id), "--reason", "counted wrongly")
    traced = run(plant, tmp_path, "trace", str(plant.id))
    story = json.loads(run(plant, tmp_path, "trace", str(plant.id), "--json").stdout)

    assert (ordered.exit_code, json.loads(ordered.stdout)) == (0, {"id": plant.id, "ordered": True})
    assert (again.exit_code, again.stderr) == (1, f"Error: Message {plant.id} was reversed already.\n")
    assert traced.stdout.count("    reversal: posted, there as doc-2") == 3
    assert story["timeline"][-2]["actor"].startswith("cli:")
    assert [posting["reversal"]["state"] for posting in story["postings"]] == ["posted"] * 3


def test_a_dead_letter_of_which_something_is_held_can_be_reversed_from_its_page(
    client: FlaskClient, operator: dict[str, str], plant: Plant
) -> None:
    dead = Plant(plant.store, "m2").by_person()
    dead.wms.before = [BLOCKED]
    dead.work()

    assert 'id="reverse"' not in client.get(f"/messages/{dead.id}").text
    log_in(client, "operator")
    assert 'id="reverse"' in client.get(f"/messages/{dead.id}").text
