"""Whatever is called, what a system asks for with Retry-After is heard, within bounds, by every adapter over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest

from app.adapters.base import Adapter, PostingRequest, TargetSettings
from app.adapters.bounded_http import BoundedHttp
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.registry import ADAPTERS
from app.adapters.retry_after import retry_after_seconds
from app.adapters.tryton import TrytonAdapter
from app.adapters.tryton_rpc import TrytonRpc
from app.errors import LinesideError, OutcomeUnknown, Transient
from config.topology_file import load_topology

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

NOW = datetime(2026, 1, 1, 8, 0, tzinfo=UTC)
NO_FILES = {"file"}
REQUEST = PostingRequest("LSAAAA22", "inventory.moved.v1", "P100", {"form": "production"})


class Busy:
    """Answers every request in the same way, until it is told another."""

    def __init__(self) -> None:
        self.status, self.wish = 503, "7"
        busy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_call(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(busy.status)
                self.send_header("Retry-After", busy.wish)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_PUT = handle_call

            def log_message(self, *_: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/base"


@pytest.fixture
def busy() -> Iterator[Busy]:
    busy = Busy()
    yield busy
    busy.server.shutdown()
    busy.server.server_close()


def http_json(url: str) -> Adapter:
    options = dict(load_topology(None).targets["wms"].options)
    read = {"production_orders": {"path": "/orders", "fields": {"order_id": "id"}}}
    return HttpJsonAdapter(TargetSettings("wms", url, 2.0, options | {"read": read}, "a-key"))


def tryton(url: str) -> Adapter:
    return TrytonAdapter(TargetSettings("erp", url, 2.0, {}, "a-key"))


BUILT: dict[str, Callable[[str], Adapter]] = {"http_json": http_json, "tryton": tryton}
CALLS: dict[str, Callable[[Adapter], Any]] = {
    "post": lambda adapter: adapter.post(REQUEST),
    "find": lambda adapter: adapter.find(REQUEST),
    "reverse": lambda adapter: adapter.reverse(REQUEST, "production,17"),
    "read": lambda adapter: list(adapter.read("production_orders")),
    "check": lambda adapter: adapter.check(),
}


def test_every_adapter_over_http_is_tried() -> None:
    assert set(BUILT) == set(ADAPTERS) - NO_FILES


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", BUILT)
def test_a_busy_system_is_called_again_when_it_wants_whatever_was_called(
    busy: Busy, name: str, call: str, status: int
) -> None:
    busy.status = status

    with pytest.raises(Transient) as told:
        CALLS[call](BUILT[name](busy.url))

    assert told.value.after_seconds == 7
    assert not told.value.alone


def test_an_answer_that_leaves_the_outcome_open_says_when_to_ask(busy: Busy) -> None:
    busy.status = 502

    with pytest.raises(OutcomeUnknown) as told:
        http_json(busy.url).post(REQUEST)

    assert told.value.after_seconds == 7


@pytest.mark.parametrize(
    ("session", "status", "error"),
    [
        (None, 429, Transient),
        (None, 503, Transient),
        ("a-session", 429, Transient),
        ("a-session", 503, Transient),
        ("a-session", 502, OutcomeUnknown),
    ],
)
def test_calls_that_are_made_together_hear_it_too_and_so_does_the_log_in(
    busy: Busy, session: str | None, status: int, error: type[LinesideError]
) -> None:
    busy.status = status
    rpc = TrytonRpc(busy.url, "lineside", "secret", BoundedHttp(2.0, 1))
    rpc._session = session

    with pytest.raises((Transient, OutcomeUnknown)) as told:
        rpc.call("model.production.wait", [[1]], {})

    assert (type(told.value), told.value.after_seconds) == (error, 7)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        (" 90 ", 90.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(seconds=90), usegmt=True), 0.0),
        ("Thursday, 01-Jan-26 08:01:30 GMT", 90.0),
        ("999999999999999999999999", 3_600.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 3_600.0),
        ("Fri, 31 Dec 9999 23:59:59 -9999", None),
        ("Sat, 01 Jan 0001 00:00:00 +1400", 0.0),
        ("-5", None),
        ("1.5", None),
        ("\u0663", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds_and_dates_are_read_bounds_are_kept_and_nonsense_is_passed_over(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after_seconds(header, NOW) == seconds
