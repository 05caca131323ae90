"""POST /v1/messages: every way in, and what is stored of it."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from app.dead_letters.repair import discard, requeue
from app.inbox.states import Move, State, move_messages
from app.store.messages_tables import Message, Payload
from app.store.session import Store
from tests.factories import NOON
from tests.reading import message
from tests.web import Nudged, key_for, web_app

pytestmark = pytest.mark.slow

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
COMPLETED = "production.completed.v1"
DATA = {
    "event_time": "2026-03-02T09:00:00Z",
    "order_id": "1000",
    "outputs": [{"item": "BIKE-100", "quantity": {"value": "4", "uom": "EA"}}],
}


def event(message_id: str = "e1", **attributes: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": message_id, "source": "mes", "type": COMPLETED, "data": DATA} | attributes


@pytest.fixture
def nudged() -> Nudged:
    return Nudged()


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path, nudged: Nudged) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, nudged=nudged).test_client()


@pytest.fixture
def key(sqlite_store: Store) -> dict[str, str]:
    return key_for(sqlite_store)


def send(client: FlaskClient, key: dict[str, str], body: Any, content_type: str = STRUCTURED, **options: Any) -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = key | options.pop("headers", {})
    return client.post("/v1/messages", data=raw, content_type=content_type, headers=headers, **options)


def stored(store: Store, message_id: int) -> tuple[Message, Payload]:
    with store.reading() as session:
        return (
            session.scalars(select(Message).where(Message.id == message_id)).one(),
            session.scalars(select(Payload).where(Payload.message_id == message_id)).one(),
        )


def test_an_event_is_accepted_with_its_id_and_its_place(client: FlaskClient, key: dict[str, str]) -> None:
    answer = send(client, key, event())

    assert answer.status_code == 202
    assert answer.json["status"] == "accepted"
    assert answer.headers["Location"] == f"/v1/messages/{answer.json['id']}"
    assert client.get(answer.headers["Location"], headers=key).json["state"] == "received"


def test_the_body_is_stored_byte_for_byte(client: FlaskClient, key: dict[str, str], sqlite_store: Store) -> None:
    raw = b'  {"specversion":"1.0", "id":"x", "source":"mes",\r\n"type":"%s","data":%s}\n' % (
        COMPLETED.encode(),
        json.dumps(DATA).encode(),
    )

    answer = send(client, key, raw)

    assert stored(sqlite_store, answer.json["id"])[1].body == raw


def test_ordering_and_trace_of_the_event_are_kept(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store
) -> None:
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    answer = send(client, key, event(partitionkey="line-4", sequence="17", traceparent=trace))

    message, _ = stored(sqlite_store, answer.json["id"])
    assert (message.ordering_key, message.sequence, message.traceparent) == ("line-4", "17", trace)


def test_a_repeat_is_answered_with_the_first_id(client: FlaskClient, key: dict[str, str], nudged: Nudged) -> None:
    first = send(client, key, event())

    again = send(client, key, json.dumps(event(), indent=2).encode())

    assert (again.status_code, again.json["status"], again.json["id"]) == (200, "repeat", first.json["id"])
    assert nudged.plants == [("P100", 1)]


@pytest.mark.parametrize("state", ["dead", "discarded", "received"])
def test_a_repeat_of_what_died_was_discarded_or_requeued_is_told_so_and_changes_nothing(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store, state: str
) -> None:
    first = send(client, key, event()).json["id"]
    with sqlite_store.writing() as session:
        move_messages(session, [Move(first, State.DEAD, reason_code="x", reason="y")], NOON)
        if state == "discarded":
            discard(session, [first], "ada", "sent by mistake", NOON)
        if state == "received":
            requeue(session, [first], "ada", NOON)

    again = send(client, key, event())
    batch = send(client, key, [event()], BATCH)

    assert (again.status_code, batch.status_code) == (200, 202)
    assert again.json == {"id": first, "source_message_id": event()["id"], "status": "repeat", "state": state}
    assert batch.json["results"][0] == {"index": 0, **again.json}
    assert message(sqlite_store, first).state == state


def test_the_same_id_with_other_content_is_a_conflict_that_names_the_first(
    client: FlaskClient, key: dict[str, str]
) -> None:
    first = send(client, key, event())

    other = send(client, key, event(data=DATA | {"order_id": "1001"}))

    assert other.status_code == 409
    assert other.json["id"] == first.json["id"]
    assert other.json["type"] == "urn:lineside:problem:conflict"


def test_binary_mode_keeps_data_and_attributes_apart(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store
) -> None:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "b%201",
        "ce-source": "mes",
        "ce-type": COMPLETED,
        "ce-plant": "P100",
    }

    answer = send(client, key, DATA, "application/json", headers=attributes)

    message, payload = stored(sqlite_store, answer.json["id"])
    assert message.source_message_id == "b 1"
    assert payload.body == json.dumps(DATA).encode()
    assert payload.attributes["type"] == COMPLETED


@pytest.mark.parametrize(
    ("header", "message_id"),
    [("Euro%20%E2%82%AC%20%f0%9f%98%80", "Euro € 😀"), ('"b 1"', "b 1"), ('"b \\"1\\""', 'b "1"'), ("b%2520", "b%20")],
)
def test_headers_of_binary_mode_are_unquoted_and_decoded_once(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store, header: str, message_id: str
) -> None:
    attributes = {"ce-specversion": "1.0", "CE-ID": header, "ce-source": "mes", "ce-type": COMPLETED}

    answer = send(client, key, DATA, "application/json; charset=utf-8", headers=attributes)

    assert stored(sqlite_store, answer.json["id"])[0].source_message_id == message_id


def test_a_header_that_is_no_utf_8_is_refused_with_its_name(client: FlaskClient, key: dict[str, str]) -> None:
    attributes = {"ce-specversion": "1.0", "ce-id": "%C0%A0", "ce-source": "mes", "ce-type": COMPLETED}

    answer = send(client, key, DATA, "application/json", headers=attributes)

    assert (answer.status_code, answer.json["errors"][0]["place"]) == (422, "header ce-id")


def test_events_of_a_batch_may_differ_in_how_their_data_are_written(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store
) -> None:
    encoded = event(
        "b2", data_base64=base64.b64encode(json.dumps(DATA).encode()).decode(), datacontenttype="application/json"
    )
    del encoded["data"]

    answer = send(client, key, [event("b1"), encoded], BATCH + "; charset=UTF-8")

    assert [result["status"] for result in answer.json["results"]] == ["accepted"] * 2


def test_an_event_with_encoded_data_is_stored_as_its_decoded_data(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store
) -> None:
    encoded = event(data_base64=base64.b64encode(json.dumps(DATA).encode()).decode())
    del encoded["data"]

    answer = send(client, key, encoded)

    assert answer.status_code == 202
    assert stored(sqlite_store, answer.json["id"])[1].body == json.dumps(DATA).encode()


def test_a_vendors_own_payload_needs_a_type_and_an_idempotency_key(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store
) -> None:
    query = {"type": COMPLETED, "source": "mes", "plant": "P100"}

    answer = send(client, key, DATA, "application/json", query_string=query, headers={"Idempotency-Key": '"msg-7"'})

    assert answer.status_code == 202
    assert stored(sqlite_store, answer.json["id"])[0].source_message_id == "msg-7"


def test_the_time_of_the_event_stands_for_an_event_time_that_is_missing(
    client: FlaskClient, key: dict[str, str]
) -> None:
    data = {name: value for name, value in DATA.items() if name != "event_time"}

    with_time = send(client, key, event("t1", data=data, time="2026-03-02T09:00:00Z"))
    without = send(client, key, event("t2", data=data))

    assert (with_time.status_code, without.status_code) == (202, 422)


def test_the_plant_may_be_left_out_where_the_key_has_only_one(client: FlaskClient, sqlite_store: Store) -> None:
    one, two = key_for(sqlite_store, plants=("P200",)), key_for(sqlite_store, plants=())

    known, unknown = send(client, one, event("p1")), send(client, two, event("p2"))

    assert stored(sqlite_store, known.json["id"])[0].plant == "P200"
    assert unknown.status_code == 422
    assert unknown.json["known"] == ["P100", "P200"]


def test_a_batch_is_answered_event_by_event_and_stored_slice_by_slice(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store, nudged: Nudged
) -> None:
    slices = [json.dumps(event(f"b{number}"), indent=number or None).encode() for number in range(3)]

    answer = send(client, key, b"[ " + b" ,\n".join(slices) + b"]", BATCH)

    results = answer.json["results"]
    assert answer.status_code == 202
    assert [(r["index"], r["source_message_id"], r["status"]) for r in results] == [
        (0, "b0", "accepted"),
        (1, "b1", "accepted"),
        (2, "b2", "accepted"),
    ]
    assert [stored(sqlite_store, r["id"])[1].body for r in results] == slices
    assert nudged.plants == [("P100", 3)]


def test_a_bad_event_fails_no_other_of_its_batch(client: FlaskClient, key: dict[str, str]) -> None:
    send(client, key, event("old"))
    bad: list[Any] = [
        event("good"),
        event("no-type", type=""),
        "not an event",
        event("old", data=DATA | {"order_id": "other"}),
        event("of-another", source="erp"),
        event("old"),
        event("good"),
    ]

    answer = send(client, key, bad, BATCH)

    statuses = [result["status"] for result in answer.json["results"]]
    assert answer.status_code == 207
    assert statuses == ["accepted", "refused", "refused", "conflict", "refused", "repeat", "repeat"]
    assert answer.json["results"][1]["problem"]["errors"] == [{"pointer": "/type", "reason": "is missing"}]


def test_a_message_is_nudged_only_after_it_is_committed(sqlite_store: Store, tmp_path: Path) -> None:
    seen: list[int] = []

    class Looks(Nudged):
        def nudge(self, plant: str, count: int) -> None:
            with sqlite_store.reading() as session:
                seen.append(len(session.scalars(select(Message.id)).all()))

    client = web_app(sqlite_store, tmp_path, nudged=Looks()).test_client()

    send(client, key_for(sqlite_store), event())

    assert seen == [1]
