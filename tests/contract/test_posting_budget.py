"""One question or posting ends within the target's time, however many calls it makes and however slowly they drip."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from app.adapters import file
from app.adapters.base import Adapter, PostingRequest, TargetSettings
from app.adapters.file import FileAdapter
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.tryton import TrytonAdapter
from app.errors import LinesideError, OutcomeUnknown, Transient

pytestmark = [pytest.mark.enable_socket, pytest.mark.slow]

TIMEOUT_SECONDS = 0.8
SLACK_SECONDS = 0.6
MODEL = "stock.shipment.internal"
OPTIONS = {
    "post": {"path": "/documents", "reference": "id"},
    "find": {"path": "/documents/{posting_key}", "reference": "id"},
    "reverse": {"path": "/documents/{reference}/reversal", "reference": "id"},
    "check": {"path": "/"},
}
PLACE = {"from": "P100-ST", "to": "P100-WIP"}
DOCUMENT = {"form": "transfer", "note": "n", "posting_date": "2026-03-02", "lines": [], **PLACE}


class Dripping(BaseHTTPRequestHandler):
    """A REST system and a Tryton that both know every key. Their documents never get done, and each answer drips."""

    protocol_version = "HTTP/1.1"
    server: DrippingServer

    def do_GET(self) -> None:
        self._answer(*self._read())

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(*self._write(body))

    def _read(self) -> tuple[int, Any]:
        path = urlsplit(self.path)
        if path.path.startswith("/documents"):
            return 200, {"id": "D1"}
        if path.path.rpartition("/")[2].isdigit():
            return 200, self._record(1)
        domain = json.loads(urlsafe_b64decode(parse_qs(path.query)["d"][0]))
        if domain[:1] == ["OR"]:
            keys = [key[1][2] for key in domain[1:]] if self.server.holds else []
            return 200, [self._record(int(key[-2:]), key) for key in keys]
        ids = domain[0][2] if domain and domain[0][1] == "in" else [1]
        return 200, [self._record(number) for number in ids]

    def _write(self, body: Any) -> tuple[int, Any]:
        self.server.writes += 1
        action = body["method"] if self.path == "/rpc/" else self.path.rpartition("/")[2].partition("?")[0]
        if action == "common.db.login":
            return 200, {"result": [1, "token"]}
        if action in ("documents", "reversal"):
            return 409, {"error": "known"}
        states = {"wait": "waiting", "assign_try": "assigned", "do": "shipped"}
        self.server.state = states[action.rpartition(".")[2]]
        return 200, {"result": None} if self.path == "/rpc/" else self._record(1)

    def _record(self, number: int, key: str = "") -> dict[str, Any]:
        facts = {"number": str(number), "transit_location": None, "moves": [1], "outgoing_moves": [], "currency": 1}
        return {"id": number, "reference": key, "state": self.server.state, "type": "storage", **facts}

    def _answer(self, status: int, value: Any) -> None:
        text = json.dumps(value).encode()
        self.server.calls += 1
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        try:
            for part in (text[:1], text[1:2], text[2:]):
                time.sleep(self.server.pause_seconds / 3)
                self.wfile.write(part)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Nothing to the screen."""


class DrippingServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Dripping)
        self.pause_seconds, self.state, self.holds = 0.3, "draft", True
        self.calls = self.writes = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def server() -> Iterator[DrippingServer]:
    with DrippingServer() as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


def http_json(server: DrippingServer) -> Adapter:
    return HttpJsonAdapter(TargetSettings("demo", server.url, TIMEOUT_SECONDS, OPTIONS))


def tryton(server: DrippingServer) -> Adapter:
    return TrytonAdapter(TargetSettings("erp", server.url, TIMEOUT_SECONDS, {}, "key"))


def request(number: int = 1) -> PostingRequest:
    return PostingRequest(f"LSAAAAAAAAAAAAAAAAAAAAAAAA{number:02d}", "inventory.moved.v1", "P100", DOCUMENT)


def ended(server: DrippingServer, work: Callable[[], object]) -> tuple[LinesideError, float]:
    """How it failed and after how long, the last call made."""
    begun = time.monotonic()
    with pytest.raises((Transient, OutcomeUnknown)) as failed:
        work()
    return failed.value, time.monotonic() - begun


@pytest.mark.parametrize("build", [http_json, tryton])
@pytest.mark.parametrize("act", ["post", "reverse"])
def test_a_posting_of_many_slow_calls_ends_in_time_and_its_outcome_is_unknown(
    server: DrippingServer, build: Callable[[DrippingServer], Adapter], act: str
) -> None:
    adapter = build(server)
    server.pause_seconds = 0.6 if build is http_json else 0.12
    arguments = (request(),) if act == "post" else (request(), f"{MODEL},1")

    error, seconds = ended(server, lambda: getattr(adapter, act)(*arguments))
    calls = server.calls
    time.sleep(0.2)

    assert isinstance(error, OutcomeUnknown)
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    assert server.writes >= 1
    assert server.calls == calls > 1


def test_time_that_is_over_before_anything_was_written_leaves_nothing_and_says_so(server: DrippingServer) -> None:
    server.holds = False

    error, seconds = ended(server, lambda: tryton(server).post(request()))

    assert isinstance(error, Transient)
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS
    assert server.writes == 0
    assert server.calls > 1


def test_a_question_of_several_calls_ends_in_time_too(server: DrippingServer) -> None:
    server.pause_seconds = 0.6
    receipt = PostingRequest(request().posting_key, "receipt.recorded.v1", "P100", {**DOCUMENT, "form": "receipt"})

    error, seconds = ended(server, lambda: tryton(server).find(receipt))

    assert isinstance(error, Transient)
    assert seconds < TIMEOUT_SECONDS + SLACK_SECONDS


def test_postings_that_share_their_calls_end_in_time_each(server: DrippingServer) -> None:
    server.pause_seconds = 0.12
    options = {"login": "service"}
    adapter = TrytonAdapter(TargetSettings("erp", server.url, TIMEOUT_SECONDS, options, "key", calls_in_flight=8))

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda number: ended(server, lambda: adapter.post(request(number))), range(8)))
    calls = server.calls
    time.sleep(0.2)

    assert max(seconds for _, seconds in outcomes) < TIMEOUT_SECONDS + SLACK_SECONDS
    assert server.calls == calls


def test_a_file_whose_share_hung_too_long_is_not_handed_over_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"format": "csv", "name": "{posting_key}.csv", "columns": ["note"]}
    flat = PostingRequest(request().posting_key, "inventory.moved.v1", "P100", {"note": "n"})
    late, well = (FileAdapter(TargetSettings("erp", "", seconds, options, drop_dir=tmp_path)) for seconds in (0.05, 30))
    healthy = file.write_through

    def hang(path: Path, text: bytes) -> None:
        healthy(path, text)
        time.sleep(0.1)

    monkeypatch.setattr(file, "write_through", hang)
    with pytest.raises(Transient, match="too late"):
        late.post(flat)
    monkeypatch.undo()

    assert list(tmp_path.glob("*.csv")) == []
    assert well.find(flat) is None
    assert well.post(flat).reference == f"{flat.posting_key}.csv"
