"""/v1/admin/dead-letters: find, requeue, correct, discard, each under a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.access.roles import Role
from app.inbox.states import Move, State, move_messages
from app.store.access_tables import AuditEntry
from app.store.session import Store
from tests.factories import NOON, accept, completion, move_event
from tests.reading import states, timeline
from tests.unit.test_api_messages import DATA, STRUCTURED, event
from tests.web import Nudged, account_for, web_app

pytestmark = pytest.mark.slow

LETTERS = "/v1/admin/dead-letters"


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, nudged=nudged).test_client()


@pytest.fixture
def operator(sqlite_store: Store) -> dict[str, str]:
    return account_for(sqlite_store, Role.OPERATOR)


def kill(store: Store, *ids: int, code: str = "unit_unknown") -> None:
    with store.writing() as session:
        moves = [Move(key, State.DEAD, reason_code=code, reason="No such unit.", reason_field="unit") for key in ids]
        move_messages(session, moves, NOON)


@pytest.fixture
def dead(sqlite_store: Store) -> list[int]:
    """Three of P100 for their unit and one of P200 for its order; a fifth is alive."""
    ids = accept(
        sqlite_store, *[move_event(f"m{n}") for n in range(3)], move_event("m3", plant="P200"), move_event("alive")
    )
    kill(sqlite_store, *ids[:3])
    kill(sqlite_store, ids[3], code="order_closed")
    return ids[:4]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["m3", "m2", "m1", "m0"]),
        ("plant=P200", ["m3"]),
        ("reason_code=unit_unknown", ["m2", "m1", "m0"]),
        ("source=erp", []),
        ("dead_after=2026-03-02T12:00:00Z", ["m3", "m2", "m1", "m0"]),
        ("dead_before=2026-03-02T12:00:00Z", []),
    ],
)
@pytest.mark.usefixtures("dead")
def test_dead_letters_are_found_by_filter(
    client: FlaskClient, operator: dict[str, str], query: str, expected: list[str]
) -> None:
    answer = client.get(f"{LETTERS}?{query}", headers=operator)

    assert [letter["source_message_id"] for letter in answer.json["dead_letters"]] == expected


def test_one_dead_letter_is_shown_and_a_living_message_is_none(
    client: FlaskClient, operator: dict[str, str], dead: list[int]
) -> None:
    shown, living = client.get(f"{LETTERS}/{dead[0]}", headers=operator), client.get(f"{LETTERS}/5", headers=operator)

    assert (shown.json["reason_code"], shown.json["reason_field"]) == ("unit_unknown", "unit")
    assert living.status_code == 404


def test_a_requeue_by_ids_moves_only_dead_letters_and_nudges_their_plants(
    client: FlaskClient, operator: dict[str, str], dead: list[int], sqlite_store: Store, nudged: Nudged
) -> None:
    answer = client.post(f"{LETTERS}/requeue", json={"ids": [dead[0], dead[3], 5, 999]}, headers=operator)

    assert answer.json == {
        "count": 2,
        "ids": [dead[0], dead[3]],
        "more": False,
        "not_dead": [{"id": 5, "state": "received"}, {"id": 999, "state": None}],
    }
    assert states(sqlite_store, *dead) == ["received", "dead", "dead", "received"]
    assert sorted(nudged.plants) == [("P100", 1), ("P200", 1)]


def test_a_requeue_by_filter_moves_all_that_match(
    client: FlaskClient, operator: dict[str, str], dead: list[int], sqlite_store: Store
) -> None:
    body = {"filter": {"reason_code": "unit_unknown", "dead_before": "2026-03-02T12:00:01Z"}}
    leave = {"out_of_order": "counted by hand"}

    answer = client.post(f"{LETTERS}/requeue", json=body | leave, headers=operator)

    assert answer.json["count"] == 3
    assert states(sqlite_store, *dead) == ["received"] * 3 + ["dead"]
    with sqlite_store.reading() as session:
        assert list(session.scalars(select(AuditEntry.detail))) == [leave] * 3


@pytest.mark.parametrize("chosen", [{"filter": {}}, {"ids": [1, 2, 3, 4, 5]}])
@pytest.mark.usefixtures("dead")
def test_a_dry_run_counts_and_changes_nothing(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store, chosen: dict[str, Any]
) -> None:
    answer = client.post(f"{LETTERS}/requeue", json=chosen | {"dry_run": True}, headers=operator)

    assert (answer.json["count"], answer.json["dry_run"]) == (4, True)
    if "ids" in chosen:
        assert answer.json["not_dead"] == [{"id": 5, "state": "received"}]
    assert states(sqlite_store, 1, 2, 3, 4) == ["dead"] * 4


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"ids": []},
        {"ids": [1], "filter": {}},
        {"ids": ["one"]},
        {"ids": [10**30]},
        {"filter": {"colour": "red"}},
        {"filter": {"dead_after": "noon"}},
        {"ids": [1], "dry_run": "perhaps"},
        {"ids": [1], "out_of_order": ""},
        [],
    ],
)
@pytest.mark.usefixtures("dead")
def test_a_requeue_that_cannot_be_meant_moves_nothing(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store, body: Any
) -> None:
    answer = client.post(f"{LETTERS}/requeue", json=body, headers=operator)

    assert answer.status_code == 422
    assert states(sqlite_store, 1, 2, 3, 4) == ["dead"] * 4


@pytest.mark.parametrize(("filter_", "named"), [({"plant": "P10"}, "P100"), ({"source": "mess"}, "mes")])
@pytest.mark.usefixtures("dead")
def test_a_filter_for_what_the_topology_does_not_have_is_told(
    client: FlaskClient, operator: dict[str, str], filter_: dict[str, str], named: str
) -> None:
    answer = client.post(f"{LETTERS}/requeue", json={"filter": filter_, "dry_run": True}, headers=operator)

    assert answer.status_code == 422
    assert f"did you mean {named}?" in answer.json["detail"]


def test_a_discard_names_the_ids_that_are_no_dead_letters(
    client: FlaskClient, operator: dict[str, str], dead: list[int]
) -> None:
    answer = client.post(f"{LETTERS}/discard", json={"ids": [dead[0], 999], "reason": "test data"}, headers=operator)

    assert (answer.json["ids"], answer.json["not_dead"]) == ([dead[0]], [{"id": 999, "state": None}])


def test_a_discard_needs_a_reason_and_keeps_it_with_a_name(
    client: FlaskClient, operator: dict[str, str], dead: list[int], sqlite_store: Store
) -> None:
    without = client.post(f"{LETTERS}/discard", json={"ids": dead[:1]}, headers=operator)
    with_one = client.post(f"{LETTERS}/discard", json={"ids": dead[:1], "reason": "test data"}, headers=operator)

    trail = client.get("/v1/admin/audit", headers=operator).json["entries"]
    assert (without.status_code, with_one.json["count"]) == (422, 1)
    assert states(sqlite_store, dead[0]) == ["discarded"]
    assert (trail[0]["actor"], trail[0]["action"]) == ("operator", "dead_letter.discarded")
    assert trail[0]["detail"] == {"reason": "test data"}


def test_a_correction_is_due_again_and_what_was_received_stays(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store
) -> None:
    received = json.dumps(event("c1")).encode()
    (letter,) = accept(sqlite_store, completion("c1", body=received, content_type=STRUCTURED))
    kill(sqlite_store, letter)
    mended = json.dumps(event("c1", data=DATA | {"order_id": "2000"})).encode()

    answer = client.put(f"{LETTERS}/{letter}", data=mended, headers=operator)

    told = client.get(f"/v1/messages/{letter}", headers=operator).json
    assert answer.status_code == 202
    assert timeline(sqlite_store, letter) == ["received", "dead", "received"]
    assert [correction["actor"] for correction in told["corrections"]] == ["operator"]
    assert client.get(told["links"]["payload"], headers=operator).data == received


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (json.dumps(event("c1", data={})).encode(), 422),
        (json.dumps(event("another")).encode(), 422),
        (json.dumps(event("c1", type="inventory.moved.v1")).encode(), 422),
    ],
)
def test_a_correction_that_is_wrong_itself_changes_nothing(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store, body: bytes, status: int
) -> None:
    received = json.dumps(event("c1")).encode()
    (letter,) = accept(sqlite_store, completion("c1", body=received, content_type=STRUCTURED))
    kill(sqlite_store, letter)

    answer = client.put(f"{LETTERS}/{letter}", data=body, headers=operator)

    assert answer.status_code == status
    assert states(sqlite_store, letter) == ["dead"]


def test_a_message_that_is_not_dead_is_not_corrected(
    client: FlaskClient, operator: dict[str, str], sqlite_store: Store
) -> None:
    (alive,) = accept(sqlite_store, completion("c1"))

    answers = [client.put(f"{LETTERS}/{key}", data=json.dumps(DATA), headers=operator) for key in (alive, 999)]

    assert [answer.status_code for answer in answers] == [409, 404]
