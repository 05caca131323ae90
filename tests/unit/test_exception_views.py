"""A business exception is shown whole: what it is about, its messages, what is at risk, and who was told."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.access.roles import Role
from app.business_exceptions.raising import MESSAGES_MOST, Cause, ValueAtRisk, raise_exceptions
from app.business_exceptions.rounds import tell_owners
from app.business_exceptions.sending import NotDelivered
from app.cli import main
from app.store.session import Store
from config.exception_policy import Channel, ExceptionPolicy, Owner
from config.topology_file import PACKAGED
from tests.exception_desk import Fake
from tests.factories import NOON, demo_topology
from tests.fakes import Clock
from tests.web import account_for, log_in, web_app

pytestmark = pytest.mark.slow

ADDRESS = "https://hooks.example.com/secret-path"
CHANNEL = Channel("webhook hooks.example.com", webhook=ADDRESS, secret="hook")
POLICY = ExceptionPolicy(
    is_judged=True,
    owner="shift",
    owners={"shift": Owner("shift", (CHANNEL,))},
    rules={
        "over_completion": {"over_percent": 10.0, "plants": {"P200": {"over_percent": 20.0, "severity": "serious"}}}
    },
)
CAUSES = [
    Cause(
        "over_completion",
        "over:4711",
        "production order 4711",
        "warning",
        "Too many.",
        plant="P100",
        object_type="production_order",
        object_id="4711",
        messages=list(range(100, 0, -1)),
        value_at_risk=ValueAtRisk(Decimal("1234.50"), "EUR"),
    ),
    Cause("stuck_backlog", "stuck:P200", "messages", "serious", "They stand still.", plant="P200"),
]


@pytest.fixture(autouse=True)
def told(sqlite_store: Store) -> None:
    fake = Fake()
    fake.raises = [NotDelivered("answered 503")]
    with sqlite_store.writing() as session:
        raise_exceptions(session, CAUSES, NOON, POLICY)
    tell_owners(sqlite_store, POLICY, fake, Clock(NOON))


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, replace(demo_topology(), exceptions=POLICY)).test_client()


@pytest.fixture
def viewer(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.VIEWER)


def test_the_api_tells_object_messages_value_and_notices(client: FlaskClient, viewer: dict[str, str]) -> None:
    one: Any = client.get("/v1/admin/exceptions/1", headers=viewer).json

    assert (one["process"], one["object_type"], one["object_id"]) == ("production", "production_order", "4711")
    assert one["messages"] == {"ids": list(range(100, 100 - MESSAGES_MOST, -1)), "more": 100 - MESSAGES_MOST}
    assert one["value_at_risk"] == {"value": "1234.5", "currency": "EUR"}
    assert (one["owner"], one["escalation"]) == ("shift", 0)
    assert [(n["kind"], n["channel"], n["state"], n["trouble"]) for n in one["notices"]] == [
        ("raised", "webhook hooks.example.com", "waiting", "answered 503")
    ]
    assert ADDRESS not in json.dumps(one)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("severity=serious", [2]),
        ("process=production", [1]),
        ("owner=shift", [2, 1]),
        ("owner=nobody", []),
        ("object_type=production_order&object_id=4711", [1]),
    ],
)
def test_the_list_is_narrowed(client: FlaskClient, viewer: dict[str, str], query: str, found: list[int]) -> None:
    answer: Any = client.get(f"/v1/admin/exceptions?{query}", headers=viewer).json

    assert [one["id"] for one in answer["exceptions"]] == found


def test_a_word_that_no_exception_knows_is_refused(client: FlaskClient, viewer: dict[str, str]) -> None:
    assert client.get("/v1/admin/exceptions?severity=deadly", headers=viewer).status_code == 422
    assert client.get("/v1/admin/exceptions?process=cooking", headers=viewer).status_code == 422


def test_the_rules_are_told_as_they_hold_in_a_plant(client: FlaskClient, viewer: dict[str, str]) -> None:
    answer: Any = client.get("/v1/admin/exception-rules?plant=P200", headers=viewer).json

    (rule,) = [one for one in answer["rules"] if one["rule"] == "over_completion"]
    assert rule == {
        "rule": "over_completion",
        "plant": "P200",
        "process": "production",
        "enabled": True,
        "threshold": {"over_percent": 20.0},
        "severity": "serious",
        "owner": "shift",
    }


def test_a_page_shows_it_whole_with_links_and_no_address(client: FlaskClient, viewer: dict[str, str]) -> None:
    log_in(client, "viewer")

    page = client.get("/exceptions/1").text

    assert 'href="/orders/P100/4711"' in page
    assert 'href="/messages/100"' in page
    assert f"and {100 - MESSAGES_MOST} more" in page
    assert "1\u202f234.50 EUR" in page
    assert "answered 503" in page
    assert ADDRESS not in page
    assert "unknown" in client.get("/exceptions/2").text
    assert client.get("/exceptions/3").status_code == 404


def test_a_terminal_shows_it_whole(sqlite_store: Store, tmp_path: Path) -> None:
    runner = CliRunner(env={"LINESIDE_HOME": str(tmp_path), "LINESIDE_DATABASE_URL": sqlite_store.url})

    shown, unknown = runner.invoke(main, ["exceptions", "show", "1"]), runner.invoke(main, ["exceptions", "show", "9"])
    as_json = json.loads(runner.invoke(main, ["exceptions", "show", "1", "--json"]).output)
    narrowed = runner.invoke(main, ["exceptions", "--severity", "serious", "--owner", "shift", "--json"])

    assert "1234.5 EUR" in shown.output
    assert "notice         raised to shift by webhook hooks.example.com, waiting: answered 503" in shown.output
    assert (as_json["object_id"], len(as_json["notices"]), unknown.exit_code) == ("4711", 1, 1)
    assert [one["id"] for one in json.loads(narrowed.output)["exceptions"]] == [2]


def test_a_terminal_tells_the_rules_and_which_secret_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "topology.yaml"
    packaged = PACKAGED.read_text(encoding="utf-8").partition("\nexceptions:")[0]
    owners = "owners: {shift: {channels: [{webhook: 'https://hooks.example.com/x', secret: shift-hook}]}}"
    path.write_text(f"{packaged}\nexceptions: {{owner: shift}}\n{owners}\n", encoding="utf-8")
    runner = CliRunner(env={"LINESIDE_HOME": str(tmp_path), "LINESIDE_CONFIG": str(path)})

    rules, check = runner.invoke(main, ["exceptions", "rules"]), runner.invoke(main, ["check"])

    assert "delayed_confirmation           on   warning   after_minutes: 60      shift" in rules.output
    assert "Owner shift: notices wait until LINESIDE_SECRET_SHIFT_HOOK is set." in check.output
    assert "hooks.example.com" not in check.output
