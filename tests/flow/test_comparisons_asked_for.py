"""Whoever may act asks over HTTP for a comparison, a worker makes it, and the request says what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from app.access.roles import Role
from app.errors import Transient
from app.store.reconcile_requests import OPEN_MOST, save_request
from app.store.session import Store
from tests.fakes import Killed
from tests.flow.test_compared_by_itself import Hall
from tests.web import account_for, key_for, web_app

PATH = "/v1/reconciliations"


@dataclass(frozen=True)
class Desk:
    """Ada, an operator, before an installation whose topology has nothing compared by itself."""

    hall: Hall
    client: FlaskClient
    headers: dict[str, str]

    def ask(self, **body: Any) -> Any:
        return self.client.post(PATH, json=body, headers=self.headers)

    def look(self, path: str) -> Any:
        return self.client.get(path, headers=self.headers).json

    def entries(self) -> list[Any]:
        entries: list[Any] = self.look("/v1/admin/audit?action=reconciliation.asked")["entries"]
        return entries


@pytest.fixture
def desk(store: Store, tmp_path: Path) -> Desk:
    hall = Hall(store, erp=None, wms=None)
    client = web_app(store, tmp_path, hall.turns.topology, clock=hall.clock).test_client()
    return Desk(hall, client, account_for(store, Role.OPERATOR, "ada"))


def test_a_system_is_read_and_compared_with_what_was_reported_when_somebody_asks(desk: Desk) -> None:
    asked = desk.ask(system="erp", level="storage")
    before = desk.look(asked.headers["Location"])

    done = desk.hall.run(0)

    after = desk.look(asked.headers["Location"])
    report = desk.look(f"{PATH}/{after['reconciliation']}")
    assert (asked.status_code, before["state"], before["asked_by"]) == (202, "asked", "ada")
    assert done == ["read erp", "compare erp"]
    assert (after["state"], after["trouble"]) == ("compared", None)
    assert (report["system"], report["against"], report["level"], report["actor"]) == ("erp", None, "storage", "ada")
    assert desk.hall.told() == []
    assert [(entry["actor"], entry["detail"]["system"]) for entry in desk.entries()] == [("ada", "erp")]


def test_two_systems_are_read_and_compared_with_each_other(desk: Desk) -> None:
    desk.hall.wms.stock["A"] = "3"
    asked = desk.ask(system="erp", against="wms")

    desk.hall.run(0)

    report = desk.look(f"{PATH}/{desk.look(asked.headers['Location'])['reconciliation']}")
    assert (report["against"], report["unexplained"]) == ("wms", 1)


def test_the_same_that_is_not_over_is_not_asked_for_twice_and_afterwards_it_is(desk: Desk) -> None:
    first, again, other = desk.ask(system="erp"), desk.ask(system="erp"), desk.ask(system="erp", level="lot")

    desk.hall.run(0)

    later = desk.ask(system="erp")
    assert again.json["id"] == first.json["id"]
    assert len({first.json["id"], other.json["id"], later.json["id"]}) == 3
    assert len(desk.entries()) == 3


def test_what_a_system_does_to_it_is_told_to_whoever_asked(desk: Desk) -> None:
    desk.hall.erp.fails = [Transient("answered 503")]
    asked = desk.ask(system="erp")

    assert desk.hall.run(0) == ["read erp"]

    told = desk.look(asked.headers["Location"])
    assert (told["state"], told["reconciliation"]) == ("failed", None)
    assert "answered 503" in told["trouble"]


def test_what_ends_its_workers_is_given_up(desk: Desk) -> None:
    desk.hall.erp.fails = [Killed(), Killed(), Killed()]
    asked = desk.ask(system="erp")

    for _ in range(3):
        desk.hall.clock.pass_time(1_000)
        with pytest.raises(Killed):
            desk.hall.turns.read("erp")
    desk.hall.clock.pass_time(1_000)
    desk.hall.turns.read("erp")

    assert desk.look(asked.headers["Location"])["trouble"].startswith("Reading was begun 3 times")
    assert desk.hall.turns.due() is None


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"system": "epr"}, "/system"),
        ({"system": "erp", "against": "epr"}, "/against"),
        ({"system": "erp", "against": "erp"}, "/against"),
        ({"system": "erp", "level": "shelf"}, "/level"),
        ({}, "/system"),
        ({"system": "erp", "now": True}, "/now"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_its_place(desk: Desk, body: dict[str, Any], pointer: str) -> None:
    answer = desk.ask(**body)

    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, pointer)
    assert desk.entries() == []


def test_there_is_a_bound_to_what_waits(desk: Desk, store: Store) -> None:
    with store.writing() as session:
        for number in range(OPEN_MOST):
            save_request(session, f"system-{number}", None, "item", "ada", desk.hall.clock())

    assert desk.ask(system="erp").status_code == 409


def test_only_an_operator_asks_and_what_nobody_asked_for_is_not_found(desk: Desk, store: Store) -> None:
    viewer = account_for(store, Role.VIEWER)

    assert desk.client.post(PATH, json={"system": "erp"}, headers=viewer).status_code == 403
    assert desk.client.post(PATH, json={"system": "erp"}, headers=key_for(store)).status_code == 403
    assert desk.client.get(f"{PATH}/requests/99", headers=viewer).status_code == 404
