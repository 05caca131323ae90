"""The REST adapter against real sockets: what each answer, silence and hang-up means."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetSettings
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.registry import option_faults
from app.errors import LinesideError, OutcomeUnknown, Refused, TargetPaused, Transient

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

GOLDEN = Path(__file__).parents[1] / "golden" / "http_json" / "answers.json"
CASES = json.loads(GOLDEN.read_text(encoding="utf-8"))
NOW = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
REQUEST = PostingRequest("LSAAAA7/7 &", "production.completed.v1", "P100", {"item": "BIKE-100", "quantity": "1.50"})
OPTIONS: dict[str, Any] = {
    "auth": {"scheme": "bearer"},
    "idempotency_header": "Idempotency-Key",
    "post": {"path": "/documents", "reference": "data.id"},
    "find": {"path": "/documents/{posting_key}", "reference": "data.id"},
    "reverse": {"path": "/documents/{reference}/reversal", "body": "none", "reference": "data.id"},
    "check": {"path": "/health"},
    "problem": "error.message",
}
SECRET = "s3cr3t-value"

Talk = Callable[[socket.socket, bytes], None]


class ScriptedServer:
    """Accepts connections one after another and treats each request as the script says."""

    def __init__(self, talk: Talk) -> None:
        self.requests: list[bytes] = []
        self._talk = talk
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/api"

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            with connection:
                self._converse(connection)

    def _converse(self, connection: socket.socket) -> None:
        try:
            request = _whole_request(connection)
            if request:
                self.requests.append(request)
                self._talk(connection, request)
        except OSError:
            return

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self._thread.join(timeout=5)


def _whole_request(connection: socket.socket) -> bytes:
    text = b""
    while b"\r\n\r\n" not in text:
        chunk = connection.recv(65536)
        if not chunk:
            return text
        text += chunk
    head, _, body = text.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int, body: Any = None, text: str = "", headers: dict[str, str] | None = None) -> bytes:
    raw = (json.dumps(body) if body is not None else text).encode()
    lines = [f"HTTP/1.1 {status} Status", "Connection: close", f"Content-Length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + raw


def saying(text: bytes) -> Talk:
    return lambda connection, request: connection.sendall(text)


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], ScriptedServer]]:
    servers: list[ScriptedServer] = []

    def start(talk: Talk) -> ScriptedServer:
        servers.append(ScriptedServer(talk))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def adapter(url: str, timeout_seconds: float = 5.0, **options: Any) -> HttpJsonAdapter:
    settings = TargetSettings("demo", url, timeout_seconds, {**OPTIONS, **options}, SECRET)
    return HttpJsonAdapter(settings, now=lambda: NOW)


def call(adapter: HttpJsonAdapter, name: str) -> Any:
    arguments: dict[str, tuple[Any, ...]] = {"post": (REQUEST,), "find": (REQUEST,), "reverse": (REQUEST, "D-1")}
    return getattr(adapter, name)(*arguments.get(name, ()))


@pytest.mark.parametrize("case", CASES, ids=[case["promise"].replace(" ", "-") for case in CASES])
def test_each_recorded_answer_means_what_the_golden_file_says(case: Any, serve: Any) -> None:
    server = serve(saying(answer(**case["answer"])))
    subject = adapter(server.url, **case.get("options", {}))
    expect = case["expect"]

    if "error" in expect:
        with pytest.raises(LinesideError) as raised:
            call(subject, case["call"])
        assert type(raised.value).__name__ == expect["error"]
        assert expect.get("reason", "") in str(raised.value)
        assert SECRET not in str(raised.value)
        assert getattr(raised.value, "after_seconds", None) == expect.get("after_seconds")
    elif "absent" in expect:
        assert call(subject, case["call"]) is None
    else:
        result = call(subject, case["call"])
        assert (result.reference, result.body) == (expect["reference"], expect["body"])


def test_a_posting_sends_the_document_with_key_and_credentials(serve: Any) -> None:
    server = serve(saying(answer(201, {"data": {"id": 1}})))

    adapter(server.url, headers={"X-Plant": "{plant}"}).post(REQUEST)

    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /api/documents HTTP/1.1"
    assert {"Authorization: Bearer s3cr3t-value", "Idempotency-Key: LSAAAA7/7 &", "X-Plant: P100"} <= set(lines)
    assert json.loads(body) == REQUEST.document


@pytest.mark.parametrize(
    ("auth", "header"),
    [
        ({"scheme": "basic", "user": "ls"}, "Authorization: Basic bHM6czNjcjN0LXZhbHVl"),
        ({"scheme": "api_key", "header": "X-Key"}, "X-Key: s3cr3t-value"),
    ],
)
def test_each_way_to_log_in_has_its_header(auth: Any, header: str, serve: Any) -> None:
    server = serve(saying(answer(200, {})))

    adapter(server.url, auth=auth).check()

    assert header in server.requests[0].decode().split("\r\n")


def test_without_authentication_no_secret_goes_out(serve: Any) -> None:
    server = serve(saying(answer(200, {})))

    adapter(server.url, auth={"scheme": "none"}).check()

    assert SECRET.encode() not in server.requests[0]


def test_values_in_a_path_and_a_query_are_percent_encoded(serve: Any) -> None:
    server = serve(saying(answer(404)))
    find = {"path": "/d/{posting_key}", "query": {"plant x": "{plant}", "key": "{posting_key}"}}

    adapter(server.url, find=find).find(REQUEST)

    line = server.requests[0].split(b"\r\n")[0].decode()
    assert line == "GET /api/d/LSAAAA7%2F7%20%26?plant%20x=P100&key=LSAAAA7%2F7%20%26 HTTP/1.1"


def test_a_refused_connection_is_transient_even_for_a_posting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        free_port = listener.getsockname()[1]

    with pytest.raises(Transient, match="refused"):
        adapter(f"http://127.0.0.1:{free_port}").post(REQUEST)


def test_a_host_without_address_is_transient() -> None:
    with pytest.raises(Transient):
        adapter("http://no-such-host.invalid").post(REQUEST)


def test_a_failed_tls_handshake_is_transient(serve: Any) -> None:
    server = serve(saying(b"this is not TLS"))

    with pytest.raises(Transient):
        adapter(server.url.replace("http:", "https:"), timeout_seconds=0.5).post(REQUEST)


@pytest.mark.parametrize(
    ("name", "error"), [("post", OutcomeUnknown), ("reverse", OutcomeUnknown), ("find", Transient)]
)
@pytest.mark.parametrize(
    "partial", [b"", b"HTTP/1.1 201 Created\r\nContent-Le", b"HTTP/1.1 201 C\r\nContent-Length: 99\r\n\r\n{"]
)
def test_a_connection_lost_after_the_request_is_unknown_unless_it_only_read(
    name: str, error: type[LinesideError], partial: bytes, serve: Any
) -> None:
    server = serve(saying(partial))

    with pytest.raises(error):
        call(adapter(server.url), name)


@pytest.mark.parametrize(("name", "error"), [("post", OutcomeUnknown), ("find", Transient)])
def test_silence_ends_at_the_time_out(name: str, error: type[LinesideError], serve: Any) -> None:
    server = serve(lambda connection, request: connection.recv(1))

    begin = time.monotonic()
    with pytest.raises(error, match=r"0\.4 seconds"):
        call(adapter(server.url, timeout_seconds=0.4), name)

    assert time.monotonic() - begin < 2


@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n"])
def test_a_slow_drip_ends_at_the_time_out_too(before: bytes, serve: Any) -> None:
    def drip(connection: socket.socket, request: bytes) -> None:
        connection.sendall(before)
        for _ in range(100):
            connection.sendall(b"1")
            time.sleep(0.1)

    server = serve(drip)

    begin = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        adapter(server.url, timeout_seconds=0.5).post(REQUEST)

    assert time.monotonic() - begin < 2


def test_an_answer_without_end_is_cut_off_at_a_megabyte(serve: Any) -> None:
    server = serve(saying(answer(200, text="x" * 1_200_000)))

    with pytest.raises(OutcomeUnknown, match="1,000,000 bytes"):
        adapter(server.url).post(REQUEST)


def test_a_conflict_on_a_repeat_is_settled_by_the_look_up(serve: Any) -> None:
    answers = iter([answer(409), answer(200, {"data": {"id": "D-9"}})])
    server = serve(lambda connection, request: connection.sendall(next(answers)))

    result = adapter(server.url).post(REQUEST)

    assert result.reference == "D-9"


def test_a_forbidden_document_is_refused_where_the_target_takes_others(serve: Any) -> None:
    def talk(connection: socket.socket, request: bytes) -> None:
        connection.sendall(answer(200 if b"/health" in request else 403))

    with pytest.raises(Refused, match="403"):
        adapter(serve(talk).url).post(REQUEST)


def test_a_conflict_over_something_else_is_a_refusal(serve: Any) -> None:
    answers = iter([answer(409, {"error": {"message": "order is closed"}}), answer(404)])
    server = serve(lambda connection, request: connection.sendall(next(answers)))

    with pytest.raises(Refused, match="order is closed"):
        adapter(server.url).post(REQUEST)


def test_reading_follows_the_pages_and_renames_the_fields(serve: Any) -> None:
    pages = iter(
        [
            answer(200, {"rows": [{"sku": "A", "unit": {"code": "EA"}}], "next": "/api/items?page=2"}),
            answer(200, {"rows": [{"sku": "B"}], "next": None}),
        ]
    )
    server = serve(lambda connection, request: connection.sendall(next(pages)))
    fields = {"code": "sku", "base_uom": "unit.code"}
    read = {"items": {"path": "/items", "rows": "rows", "next": "next", "fields": fields}}

    rows = list(adapter(server.url, read=read).read("items"))

    assert rows == [{"code": "A", "base_uom": "EA"}, {"code": "B", "base_uom": None}]
    assert server.requests[1].startswith(b"GET /api/items?page=2 ")


ORDERS = {
    "path": "/orders",
    "query": {"status": "released", "changed_from": "{since}"},
    "rows": "rows",
    "fields": {"plant": "site", "order_id": "number", "quantity.value": "amount", "quantity.uom": "unit"},
}


@pytest.mark.parametrize(
    ("since", "query"),
    [(None, b"?status=released "), (NOW, b"?status=released&changed_from=2026-01-01T08%3A00%3A00Z ")],
)
def test_orders_are_asked_for_since_an_instant_or_all_of_them(serve: Any, since: datetime | None, query: bytes) -> None:
    row = {"site": "MAIN", "number": 17, "amount": 2.50, "unit": "EA"}
    server = serve(saying(answer(200, {"rows": [row]})))

    rows = list(adapter(server.url, read={"production_orders": ORDERS}).read("production_orders", since))

    assert rows == [{"plant": "MAIN", "order_id": 17, "quantity": {"value": "2.5", "uom": "EA"}}]
    assert server.requests[0].startswith(b"GET /api/orders" + query)


@pytest.mark.parametrize(
    ("change", "path", "mend"),
    [
        ({"query": {"from": "{sinc}"}}, "query.from", "did you mean since?"),
        ({"fields": {"order": "number"}}, "fields.order", "did you mean order_id?"),
        ({"fields": {"fault": "number"}}, "fields.fault", "give one of"),
        ({"fields": {"quantity": "q", "quantity.uom": "unit"}}, "fields.quantity.uom", "remove one"),
    ],
)
def test_a_slip_in_how_orders_are_read_is_named(change: dict[str, Any], path: str, mend: str) -> None:
    found = option_faults("http_json", OPTIONS | {"read": {"production_orders": ORDERS | change}})

    assert [(fault.dotted, mend in fault.mend) for fault in found] == [(f"read.production_orders.{path}", True)]


def test_credentials_do_not_follow_a_page_to_another_host(serve: Any) -> None:
    server = serve(saying(answer(200, {"rows": [], "next": "http://127.0.0.2:9/items"})))
    read = {"items": {"path": "/items", "rows": "rows", "next": "next"}}

    with pytest.raises(TargetPaused, match="another host"):
        list(adapter(server.url, read=read).read("items"))


def test_a_domain_that_the_topology_does_not_name_is_refused() -> None:
    with pytest.raises(Refused, match="read: balances"):
        list(adapter("http://127.0.0.1:9").read("balances"))


def test_a_missing_or_unprintable_secret_pauses_the_target_and_is_not_shown() -> None:
    for secret in (None, "", "line\nbreak"):
        with pytest.raises(TargetPaused) as raised:
            HttpJsonAdapter(TargetSettings("demo", "http://127.0.0.1:9", 1, OPTIONS, secret))

        assert "break" not in str(raised.value)
