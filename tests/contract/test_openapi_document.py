"""The API keeps what its OpenAPI document says: to whoever may do everything, to whoever may do nothing, and whatever
the request."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Response

from app.store.session import Store
from mappings.canonical.registry import SCHEMAS
from mappings.registry import OUTBOUND, OutboundMapping
from tests.answers import fault_of
from tests.drawn_requests import DrawnRequests
from tests.everything import Everything, something_of_everything
from tests.fakes import echo
from tests.web import web_app

pytestmark = pytest.mark.slow

NEEDED = {
    "/v1/warehouse/put-away": {"plant": "P100"},
    "/v1/warehouse/picks": {"plant": "P100"},
    "/v1/supplier/purchase-orders": {"supplier": "S-1"},
    "/v1/supplier/receipts": {"supplier": "S-1"},
    "/v1/supplier/holds": {"supplier": "S-1"},
    "/v1/customer/shipments": {"customer": "P200"},
    "/v1/lots/{lot}/trace": {"item": "WHEEL-10"},
    "/v1/lots/{lot}/epcis": {"item": "WHEEL-10"},
}


@pytest.fixture
def everything(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Everything:
    for kind in SCHEMAS:
        monkeypatch.setitem(OUTBOUND, ("echo", kind), OutboundMapping(echo))
    return something_of_everything(store, tmp_path)


def _operations(everything: Everything) -> Iterator[tuple[str, str, Any]]:
    document = json.loads(everything.app.extensions["lineside-openapi"]())
    for path, operations in document["paths"].items():
        for method in ("get", "put", "post", "patch", "delete"):
            if method in operations:
                yield method, path, operations[method]


def test_what_is_there_is_told_by_every_operation_that_reads_as_its_schema_says(everything: Everything) -> None:
    """`tests.web` holds each answer to the document."""
    client, empty = everything.app.test_client(), []

    for method, path, _ in _operations(everything):
        if method == "get":
            asked = path.format(**everything.path_parameters(path))
            answer = client.get(asked, headers=dict(everything.account), query_string=NEEDED.get(path))
            assert answer.status_code == 200, (asked, answer.text)
            empty += [asked] if answer.is_json and _is_empty(answer.json) else []

    assert " ".join(empty) == ""


def _is_empty(told: Any) -> bool:
    """A page without a row: nothing was shown of what the schema says of rows."""
    is_page = isinstance(told, dict) and "next" in told
    return is_page and not any(value for value in told.values() if isinstance(value, list))


def test_whoever_may_do_nothing_is_told_so_by_every_operation_that_is_not_public(everything: Everything) -> None:
    client = everything.app.test_client()

    for method, path, operation in _operations(everything):
        asked = path.format(**everything.path_parameters(path))
        nobody = client.open(asked, method=method, environ_base={"REMOTE_ADDR": "192.0.2.1"})
        is_public = not operation.get("security")
        assert (nobody.status_code == 401) is not is_public, (method, asked, nobody.status)


def test_a_source_is_told_that_it_may_not_do_what_is_for_accounts(everything: Everything) -> None:
    client = everything.app.test_client()

    for method, path, operation in _operations(everything):
        asked = path.format(**everything.path_parameters(path))
        named = {name for one in operation.get("security", []) for name in one}
        if named and not named & {"source_key", "party_key"}:
            answer = client.open(asked, method=method, headers=dict(everything.key))
            assert answer.status_code == 403, (method, asked, answer.status)


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/healthz", Response("{}", content_type="application/json"), '"status" is a required property'),
        ("/healthz", Response('{"status": "ok", "more": 1}', content_type="application/json"), "more"),
        ("/healthz", Response("ok", content_type="text/plain"), "names application/json"),
        ("/healthz", Response("{}", 404, content_type="application/json"), "does not name"),
        ("/healthz", Response('{"title": "x"}', 500, content_type="application/problem+json"), '"detail"'),
        ("/healthz", Response('{"status": "ok"}', content_type="application/json"), None),
    ],
)
def test_what_the_document_does_not_say_is_found_in_an_answer(
    sqlite_store: Store, tmp_path: Path, path: str, answer: Response, words: str | None
) -> None:
    app = web_app(sqlite_store, tmp_path)

    with app.test_request_context(path) as context:
        fault = fault_of(app.extensions["lineside-openapi"](), context.request, answer)

    assert (fault is None) if words is None else (words in str(fault))


@pytest.mark.timeout(1_800)
def test_no_request_makes_an_operation_fail_or_answer_what_the_document_does_not_say(
    everything: Everything, store: Store
) -> None:
    """Boundary values of each parameter and body, then a few drawn ones, with and without what is there: one in three
    on each database, and not the same ones. All of them, and so many drawn for each operation, are made with
    `LINESIDE_FUZZ_EXAMPLES=100`."""
    examples = int(os.environ.get("LINESIDE_FUZZ_EXAMPLES", "0"))
    turn = 0 if examples or store.is_sqlite else 1
    requests = DrawnRequests(everything, examples or 2, share=1 if examples else 3, turn=turn)

    requests.make_all()

    found = "\n\n".join(requests.faults.values())
    assert found == ""
    assert requests.made > 1_000
