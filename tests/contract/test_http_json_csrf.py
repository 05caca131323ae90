"""Systems that take a writing call only with a token that a reading call was given, as SAP Gateway does."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetSettings
from app.adapters.http_json import HttpJsonAdapter
from app.errors import Refused, TargetPaused, Transient

pytestmark = pytest.mark.enable_socket

KEY = "LSABCDEFGHIJKLMNOPQRSTUVWX"
DOCUMENT = {
    "post": {"Text": "{not_a_placeholder}", "Items": [{"Material": "A"}]},
    "reversal": {"MaterialDocumentHeaderText": "{short_key}", "ReferenceDocument": "{reference}"},
}
REQUEST = PostingRequest(KEY, "material.issued.v1", "P100", DOCUMENT)
OPTIONS: dict[str, Any] = {
    "auth": {"scheme": "none"},
    "csrf": {"path": "/service/", "query": {"sap-client": "100"}},
    "post": {"path": "/headers", "part": "post", "reference": "d.MaterialDocument"},
    "find": {"path": "/headers", "query": {"$filter": "Text eq '{short_key}'"}, "absent_when_empty": "d.results"},
    "reverse": {"path": "/headers", "part": "reversal", "reference": "d.MaterialDocument"},
    "check": {"path": "/service/"},
}


class Gateway(HTTPServer):
    """Gives tokens that hold until they are revoked, and keeps what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.valid = 1
        self.status_of_fetch = 200
        self.always_over = False
        self.fetches: list[str] = []
        self.asked: list[str] = []
        self.bodies: list[Any] = []
        self.cookies: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        headers = []
        self.server.asked.append(self.path)
        if self.headers.get("X-CSRF-Token") == "Fetch":
            self.server.fetches.append(self.path)
            headers = [("X-CSRF-Token", f"token-{self.server.valid}")] if self.server.status_of_fetch == 200 else []
            headers += [
                ("Set-Cookie", "SAP_SESSIONID=a%3d; path=/; HttpOnly"),
                ("Set-Cookie", "usercontext=100; path=/"),
            ]
        self._answer(self.server.status_of_fetch, {"d": {"results": []}}, headers)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("X-CSRF-Token") != f"token-{self.server.valid}" or self.server.always_over:
            self._answer(403, {}, [("X-CSRF-Token", "Required")])
            return
        self.server.bodies.append(json.loads(body))
        self.server.cookies.append(self.headers["Cookie"])
        self._answer(201, {"d": {"MaterialDocument": "4900000001"}}, [])

    def _answer(self, status: int, body: Any, headers: list[tuple[str, str]]) -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(raw)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    server = Gateway()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


def adapter(gateway: Gateway, **options: Any) -> HttpJsonAdapter:
    return HttpJsonAdapter(TargetSettings("sap", gateway.url, 5.0, {**OPTIONS, **options}))


def test_a_writing_call_goes_out_with_the_token_and_the_cookies_of_its_fetch(gateway: Gateway) -> None:
    answer = adapter(gateway).post(REQUEST)

    assert answer.reference == "4900000001"
    assert gateway.fetches == ["/service/?sap-client=100"]
    assert gateway.cookies == ["SAP_SESSIONID=a%3d; usercontext=100"]


def test_a_token_is_kept_until_the_system_says_that_it_is_over(gateway: Gateway) -> None:
    subject = adapter(gateway)
    subject.post(REQUEST)
    subject.post(REQUEST)

    gateway.valid = 2
    subject.post(REQUEST)

    assert len(gateway.fetches) == 2
    assert len(gateway.bodies) == 3


def test_a_token_that_is_never_taken_is_tried_anew_once(gateway: Gateway) -> None:
    gateway.always_over = True

    with pytest.raises(Refused, match="answered 403"):
        adapter(gateway).post(REQUEST)

    assert len(gateway.fetches) == 2
    assert gateway.bodies == []


@pytest.mark.parametrize(("status", "error"), [(503, Transient), (401, TargetPaused), (204, TargetPaused)])
def test_where_no_token_is_to_be_had_nothing_was_sent(gateway: Gateway, status: int, error: type[Exception]) -> None:
    gateway.status_of_fetch = status

    with pytest.raises(error):
        adapter(gateway).post(REQUEST)

    assert gateway.bodies == []


def test_a_call_sends_its_part_of_the_document_with_placeholders_filled(gateway: Gateway) -> None:
    subject = adapter(gateway)

    subject.post(REQUEST)
    subject.reverse(REQUEST, "4900000001")

    assert gateway.bodies == [
        DOCUMENT["post"],
        {"MaterialDocumentHeaderText": "ABCDEFGHIJKLMNOPQRSTUVWX", "ReferenceDocument": "4900000001"},
    ]


def test_a_document_without_the_part_is_refused_before_anything_is_sent(gateway: Gateway) -> None:
    with pytest.raises(Refused) as raised:
        adapter(gateway, reverse={"path": "/headers", "part": "undo"}).reverse(REQUEST, "1")

    assert raised.value.code == "document_part_missing"
    assert gateway.bodies == []


def test_a_look_up_by_filter_is_encoded_and_finds_nothing_in_an_empty_list(gateway: Gateway) -> None:
    assert adapter(gateway).find(REQUEST) is None

    assert gateway.asked == ["/headers?%24filter=Text%20eq%20'ABCDEFGHIJKLMNOPQRSTUVWX'"]
