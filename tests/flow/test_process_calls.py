"""A process call is answered with what the targets said, or kept and told where to look."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from app.access.roles import Role
from app.audit.trail import read_trail
from app.errors import Refused, Transient
from app.inbox.states import State
from app.postings.pauses import pause_plant, pause_target
from app.store.session import Store
from app.store.target_tables import TargetState
from mappings.canonical import contract
from tests.factories import NOON
from tests.process_calls import (
    WHEEL,
    HangingBooks,
    Installation,
    amount,
    completed,
    installation,
    issued,
    released,
    shipped,
)
from tests.reading import message, states
from tests.web import account_for

pytestmark = pytest.mark.slow


@pytest.fixture
def here(store: Store, tmp_path: Path) -> Iterator[Installation]:
    made = installation(store, tmp_path)
    made.stock(("50", "ST", ""))
    yield made
    made.rest()


def _release(here: Installation, order: str = "1000") -> None:
    answer = here.call("release-order", released(order))
    assert answer.status_code == 200, answer.json
    here.enter()


CALLS: dict[str, Any] = {
    "release-order": released("2000", needed="4"),
    "issue-material": issued("2"),
    "post-completion": completed("3"),
    "confirm-shipment": shipped("2"),
    "trigger-replenishment": {
        "kanban_id": "K-1",
        "item": WHEEL,
        "quantity": amount("5"),
        "supply_to": {"storage": "P100-WIP"},
    },
}


@pytest.mark.parametrize("process", CALLS)
def test_a_call_is_answered_with_the_document_that_the_target_made(here: Installation, process: str) -> None:
    _release(here)

    answer = here.call(process, CALLS[process])

    assert answer.status_code == 200, answer.json
    (told,) = answer.json["answers"]
    assert (told["target"], told["state"], told["reference"]) == ("erp", "posted", "doc-2")
    assert (answer.json["status"], answer.json["repeat"]) == ("posted", False)
    assert here.client.get(answer.headers["Location"], headers=here.key).json["state"] == "posted"


def test_a_refusal_of_the_target_is_told_with_its_reason_and_where_the_message_is(here: Installation) -> None:
    _release(here)
    here.erp.before.append(Refused("account_blocked", "The cost centre is blocked.", "cost_center"))

    answer = here.call("issue-material", issued("2"))

    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert answer.json["code"] == "account_blocked"
    assert answer.json["errors"] == [{"place": "cost_center", "reason": "erp: The cost centre is blocked."}]
    assert states(here.store, answer.json["id"]) == ["dead"]
    assert answer.headers["Location"] == f"/v1/messages/{answer.json['id']}"


def test_the_time_limit_is_kept_with_a_target_that_hangs(store: Store, tmp_path: Path) -> None:
    erp = HangingBooks()
    here = installation(store, tmp_path, erp)
    began = time.monotonic()

    answer = here.call("release-order", released(), "r1", headers={"Prefer": "wait=1"})

    took = time.monotonic() - began
    assert (answer.status_code, answer.json["status"]) == (202, "under_way")
    assert (answer.headers["Retry-After"], answer.headers["Preference-Applied"]) == ("2", "wait=1")
    assert 1.0 <= took < 4.0
    assert erp.is_asked.is_set()
    erp.goes_on.set()
    again = here.call("release-order", released(), "r1")
    assert (again.status_code, again.json["repeat"], again.json["id"]) == (200, True, answer.json["id"])
    assert len(erp.effects) == 1
    here.rest()


def test_what_is_tried_again_later_is_told_at_once(here: Installation) -> None:
    here.erp.before.append(Transient("The ERP is being upgraded.", after_seconds=600))
    began = time.monotonic()

    answer = here.call("release-order", released(), headers={"Prefer": "wait=5"})

    assert (answer.status_code, answer.json["state"]) == (202, "waiting")
    assert "being upgraded" in answer.json["waits_because"]
    assert time.monotonic() - began < 4.0


@pytest.mark.parametrize("what", ["plant", "target", "circuit", "respond-async"])
def test_nobody_waits_for_what_cannot_be_quick(here: Installation, what: str) -> None:
    here.works = False
    with here.store.writing() as session:
        if what == "plant":
            pause_plant(session, "P100", "stock taking", NOON, "ada")
        elif what == "target":
            pause_target(session, "erp", "month end", NOON, "ada")
    if what == "circuit":
        _open_circuit(here.store)
    began = time.monotonic()

    prefer = "respond-async" if what == "respond-async" else "wait=5"
    answer = here.call("release-order", released(), headers={"Prefer": prefer})

    assert (answer.status_code, answer.json["state"]) == (202, "received")
    assert (answer.json["waits_because"] is None) == (what == "respond-async")
    assert time.monotonic() - began < 3.0


def _open_circuit(store: Store) -> None:
    values = {"target": "erp", "circuit": "open", "failures": 5, "openings": 1, "opened_at": NOON}
    with store.writing() as session:
        session.execute(insert(TargetState).values(**values, retry_at=NOON + timedelta(seconds=60)))


def test_a_key_with_the_same_body_gives_the_first_answer_and_with_another_a_conflict(here: Installation) -> None:
    _release(here)
    first = here.call("issue-material", issued("2"), "i1")

    again = here.call("issue-material", issued("2"), "i1")
    other = here.call("issue-material", issued("3"), "i1")
    elsewhere = here.call("post-completion", completed("1"), "i1")

    assert (again.status_code, again.json["id"], again.json["answers"]) == (
        200,
        first.json["id"],
        first.json["answers"],
    )
    assert [other.status_code, elsewhere.status_code] == [409, 409]
    assert len(here.erp.effects) == 2


def test_without_a_key_or_with_a_bad_body_nothing_is_kept(here: Installation) -> None:
    no_key = here.client.post("/v1/processes/issue-material?plant=P100", json=issued("1"), headers=here.key)
    wrong = here.call("issue-material", {"order_id": "1000", "components": []})
    no_object = here.call("issue-material", [1])
    pallet = {"item": WHEEL, "quantity": amount("1", "PAL")}
    unit = here.call("issue-material", {"order_id": "1", "components": [pallet]})

    assert [one.status_code for one in (no_key, wrong, no_object, unit)] == [400, 422, 422, 422]
    assert wrong.json["errors"][0]["pointer"] == "/components"
    assert (unit.json["code"], unit.json["errors"][0]["pointer"]) == ("unit_unknown", "/components/0/quantity/uom")
    assert here.client.get("/v1/messages", headers=here.key).json["messages"] == []


def test_who_called_is_in_the_trail_and_an_account_acts_for_a_source(here: Installation) -> None:
    operator = account_for(here.store, Role.OPERATOR)
    viewer = account_for(here.store, Role.VIEWER)
    by_key = here.call("release-order", released())
    by_person = here.call("release-order", released("2"), "call-1", headers=operator, query={"source": "mes"})
    nameless = here.call("release-order", released("3"), headers=operator)
    reader = here.call("release-order", released("3"), headers=viewer, query={"source": "mes"})

    assert [one.status_code for one in (by_key, by_person, nameless, reader)] == [200, 200, 422, 403]
    with here.store.reading() as session:
        trail = [(one.actor, one.action, one.subject) for one in read_trail(session, 5)]
    assert trail == [
        ("operator", "process.release-order", f"message:{by_person.json['id']}"),
        ("key:test mes", "process.release-order", f"message:{by_key.json['id']}"),
    ]


def test_no_more_calls_wait_than_the_process_has_room_for(store: Store, tmp_path: Path) -> None:
    here = installation(store, tmp_path, waiters=0)
    here.works = False

    answer = here.call("release-order", released())

    assert answer.status_code == 202
    assert "waiting already" in answer.json["waits_because"]


def test_a_call_that_dies_after_its_commit_is_posted_and_its_repeat_has_the_answer(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(here, "nudge", die)
        with pytest.raises(Killed):
            here.call("release-order", released(), "r1")
    here.work()

    again = here.call("release-order", released(), "r1")

    assert (again.status_code, again.json["repeat"]) == (200, True)
    assert again.json["answers"][0]["reference"] == "doc-1"
    assert message(here.store, again.json["id"]).state == State.POSTED


def test_each_process_is_described_with_an_example_that_keeps_its_contract(here: Installation) -> None:
    described = here.client.get("/openapi.json").json["paths"]
    posted = {path: one["post"] for path, one in described.items() if path.startswith("/v1/processes/")}

    assert len(posted) == 7
    for path, operation in posted.items():
        content = operation["requestBody"]["content"]["application/json"]
        if "title" in content["schema"]:
            contract.validate(content["schema"]["title"], {**content["example"], "event_time": "2026-03-02T08:00:00Z"})
        assert operation["summary"], path
