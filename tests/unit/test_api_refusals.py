"""What is not accepted, and what its sender is told: never a 202, always the place and the mend."""

from __future__ import annotations

import json
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from app.inbox.door import Door
from app.store.messages_tables import Message, Payload
from app.store.session import Store
from tests.factories import demo_topology
from tests.unit.test_api_messages import BATCH, COMPLETED, DATA, STRUCTURED, event, send
from tests.web import key_for, web_app

pytestmark = pytest.mark.slow


@pytest.fixture
def client(sqlite_store: Store, tmp_path: Path) -> FlaskClient:
    return web_app(sqlite_store, tmp_path, LINESIDE_MAX_BODY_BYTES="20000").test_client()


@pytest.fixture
def key(sqlite_store: Store) -> dict[str, str]:
    return key_for(sqlite_store)


def quantity(value: Any, uom: str = "EA") -> dict[str, Any]:
    return DATA | {"outputs": [{"item": "BIKE-100", "quantity": {"value": value, "uom": uom}}]}


VENDOR = {"query_string": {"type": COMPLETED}, "headers": {"Idempotency-Key": "v1"}}
BOMB = b'<!DOCTYPE a [<!ENTITY b "1"><!ENTITY c "&b;&b;&b;">]><a>&c;</a>'
OUTSIDE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>'

CASES: list[tuple[str, Any, str, dict[str, Any], int, str]] = [
    ("not JSON", b'{"id": 1,\n oops}', STRUCTURED, {}, 400, "line 2 column 2"),
    ("empty body", b"", STRUCTURED, {}, 400, "line 1 column 1"),
    ("not UTF-8", b'{"id": "\xff"}', STRUCTURED, {}, 400, "byte 8"),
    ("NaN", b'{"specversion":"1.0","id":"n","source":"mes","type":"x","data":NaN}', STRUCTURED, {}, 400, "NaN"),
    ("too deep", b"[" * 5_000 + b"]" * 5_000, STRUCTURED, {}, 400, "64 levels"),
    ("not an object", [1], STRUCTURED, {}, 422, "JSON object"),
    ("no id", event(""), STRUCTURED, {}, 422, "/id is missing"),
    ("no data", {k: v for k, v in event().items() if k != "data"}, STRUCTURED, {}, 422, "/data is missing"),
    ("old CloudEvents", event(specversion="0.3"), STRUCTURED, {}, 422, "specversion"),
    ("bad time", event(time="yesterday"), STRUCTURED, {}, 422, "/time"),
    ("long id", event("x" * 201), STRUCTURED, {}, 422, "at most 200"),
    ("id with a control character", event("a\u0000b"), STRUCTURED, {}, 422, "printable"),
    ("bad base64", event(data_base64="%%%") | {"data": None}, STRUCTURED, {}, 422, "data_base64"),
    ("unknown source", event(source="mess"), STRUCTURED, {}, 422, "did you mean 'mes'"),
    ("unknown plant", event(plant="P10"), STRUCTURED, {}, 422, "did you mean 'P100'"),
    (
        "unknown type",
        event(type="production.complete.v1"),
        STRUCTURED,
        {},
        422,
        "did you mean 'production.completed.v1'",
    ),
    ("plant of another source", event(plant="P300"), STRUCTURED, {}, 422, "sends for P100, P200"),
    ("plant of another key", event(plant="P200"), STRUCTURED, {}, 403, "may not send for plant P200"),
    ("negative quantity", event(data=quantity("-1")), STRUCTURED, {}, 422, "/data/outputs/0/quantity/value"),
    ("NaN quantity", event(data=quantity("NaN")), STRUCTURED, {}, 422, "/data/outputs/0/quantity/value"),
    ("float quantity", event(data=quantity({"a": 1})), STRUCTURED, {}, 422, "/data/outputs/0/quantity/value"),
    ("unknown field", event(data=DATA | {"colour": "red"}), STRUCTURED, {}, 422, "/data/colour"),
    ("empty batch", [], BATCH, {}, 422, "empty"),
    ("batch that is no array", event(), BATCH, {}, 400, "line 1 column 1"),
    ("batch with a trailing comma", b'[{"a":1},]', BATCH, {}, 400, "line 1 column 10"),
    ("batch with more behind it", b"[{}] x", BATCH, {}, 400, "line 1 column 6"),
    ("unfinished batch", b"[{}", BATCH, {}, 400, "line 1 column 4"),
    ("body too large", b"x" * 20_001, STRUCTURED, {}, 413, "20,000 bytes"),
    ("unknown content type", b"x", "image/png", {}, 415, "'image/png'"),
    ("no content type", b"x", "", {}, 415, "missing"),
    ("no Idempotency-Key", DATA, "application/json", {"query_string": {"type": COMPLETED}}, 400, "Idempotency-Key"),
    ("no type", DATA, "application/json", {"headers": {"Idempotency-Key": "1"}}, 422, "query type is missing"),
    ("compressed", b"x", STRUCTURED, {"headers": {"Content-Encoding": "gzip"}}, 415, "Compressed"),
    ("no XML", b"<a>", "application/xml", VENDOR, 400, "not XML"),
    ("entity bomb", BOMB, "application/xml", VENDOR, 422, "document type"),
    ("external entity", OUTSIDE, "text/xml", VENDOR, 422, "document type"),
    ("canonical type as XML", b"<a/>", "application/xml", VENDOR, 422, "sent as JSON"),
]


@pytest.mark.parametrize(
    ("body", "content_type", "options", "status", "told"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_what_cannot_be_taken_is_refused_with_its_place(
    client: FlaskClient,
    key: dict[str, str],
    sqlite_store: Store,
    body: Any,
    content_type: str,
    options: dict[str, Any],
    status: int,
    told: str,
) -> None:
    answer = send(client, key, body, content_type, **options)

    assert answer.status_code == status, answer.text
    assert answer.content_type == "application/problem+json"
    assert told in json.dumps(answer.json, ensure_ascii=False)
    assert {"type", "title", "status", "detail", "instance"} <= answer.json.keys()
    with sqlite_store.reading() as session:
        assert session.scalar(select(func.count()).select_from(Message)) == 0


@pytest.mark.parametrize(("size", "status"), [(20_000, 202), (20_001, 413), (60_000, 413)])
def test_a_body_in_chunks_is_taken_whole_or_refused(
    client: FlaskClient, key: dict[str, str], sqlite_store: Store, size: int, status: int
) -> None:
    body = b"x" * size
    options = {"input_stream": BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}

    answer = client.post(
        "/v1/messages?source=mes&plant=P100&type=acme.thing",
        headers={**key, "Content-Type": "text/plain", "Idempotency-Key": "big"},
        **options,
    )

    assert answer.status_code == status, answer.text
    with sqlite_store.reading() as session:
        assert session.scalars(select(Payload.body)).all() == ([body] if status == 202 else [])


def test_a_key_sends_for_its_own_source_only(client: FlaskClient, sqlite_store: Store) -> None:
    stranger = key_for(sqlite_store, source="erp")

    assert send(client, stranger, event()).status_code == 403


@pytest.mark.parametrize("reason", ["database is locked", "database or disk is full", "unable to open database file"])
def test_a_database_that_cannot_take_it_is_never_answered_with_202(
    client: FlaskClient, key: dict[str, str], monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("INSERT", {}, Exception(reason))

    monkeypatch.setattr(Door, "admit", fail)

    one, many = send(client, key, event()), send(client, key, [event()], BATCH)

    assert (one.status_code, many.status_code) == (503, 503)
    assert int(one.headers["Retry-After"]) > 0


def test_a_database_that_is_gone_is_told_as_such(tmp_path: Path) -> None:
    client = web_app(Store(f"sqlite:///{tmp_path}/no/such/dir/l.db"), tmp_path).test_client()

    answer = send(client, {"Authorization": "Bearer ls_" + "A" * 43}, event())

    assert answer.status_code == 503


def test_what_failed_half_way_is_not_stored(client: FlaskClient, key: dict[str, str], sqlite_store: Store) -> None:
    refused = send(client, key, [event("a"), event("b", data={})], BATCH)

    assert [result["status"] for result in refused.json["results"]] == ["accepted", "refused"]
    with sqlite_store.reading() as session:
        assert session.scalars(select(Message.source_message_id)).all() == ["a"]


def test_an_error_says_nothing_of_what_is_inside(client: FlaskClient, key: dict[str, str]) -> None:
    answer = send(client, key, b"<a>&b;</a>", "application/xml", **VENDOR)

    assert "Traceback" not in answer.text
    assert "/etc" not in answer.text


def test_a_source_that_drops_files_does_not_send_over_http(sqlite_store: Store, tmp_path: Path) -> None:
    topology = demo_topology()
    drops = replace(topology.sources["mes"], code="old", intake="drop")
    client = web_app(sqlite_store, tmp_path, replace(topology, sources={"old": drops})).test_client()

    answer = send(client, key_for(sqlite_store, "old"), event(source="old", plant="P100"))

    assert answer.status_code == 403
    assert "intake: http" in answer.json["detail"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_path_that_there_is_not_is_named_with_where_the_api_is_described(client: FlaskClient, method: str) -> None:
    answer = getattr(client, method)("/v1/mesages")

    assert answer.status_code == 404
    assert "/v1/mesages" in answer.json["detail"]
    assert "/docs" in answer.json["detail"]
    assert "manually" not in answer.json["detail"]


def test_a_method_that_a_path_does_not_take_is_told_with_those_that_it_takes(client: FlaskClient) -> None:
    answer = client.delete("/v1/messages")

    assert answer.status_code == 405
    assert "DELETE" in answer.json["detail"]
    assert "GET" in answer.json["detail"]
