"""What a practice double answers over HTTP."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote

from app.demo.double_books import Books, Conflict, Entry
from app.demo.double_faults import Faults, FaultSwitches

MAX_BODY_BYTES = 2_000_000
MAX_WAIT_SECONDS = 600.0


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Mapping[str, Any]
    retry_after: str = ""


def _problem(status: int, detail: str, retry_after: str = "") -> _Answer:
    return _Answer(status, {"status": status, "detail": detail}, retry_after)


def _period_closed(closed_to: str) -> _Answer:
    open_from = (date.fromisoformat(closed_to) + timedelta(days=1)).isoformat()
    told = {"status": 422, "code": "PERIOD_CLOSED", "detail": f"closed to {closed_to}", "open_from": open_from}
    return _Answer(422, told)


class DoubleServer(ThreadingHTTPServer):
    """A thread a connection, on loopback; ``stopping`` ends every wait."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, name: str, api_key: str, books: Books) -> None:
        self.name = name
        self.api_key = api_key
        self.books = books
        self.faults = FaultSwitches()
        self.closed_to = ""
        self.stopping = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the name service for this host's name, which a machine without one waits for.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """Ends kept-alive connections too, so that a stopped double answers nobody."""
        for request in list(self._open):
            try:
                request.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hangs up in the middle is what a double is for; it is no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = MAX_WAIT_SECONDS
    server: DoubleServer

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def log_message(self, *_: Any) -> None:
        """Silent: what a double did stands in its books."""

    def _serve(self, method: str) -> None:
        parts = tuple(unquote(part) for part in self.path.partition("?")[0].split("/") if part)
        raw = self._body()
        if raw is None:
            self._send(_problem(413, f"the body is larger than {MAX_BODY_BYTES:,} bytes"))
            return
        if len(raw) < self._length():  # whoever sent it died over it
            self.close_connection = True
            return
        fault = None if parts == ("faults",) else self.server.faults.take(method)
        if fault is not None:
            self._wait(fault.delay_seconds)
            if fault.status:
                self._send(_problem(fault.status, fault.detail or "a fault that was asked for", fault.retry_after))
                return
        answer = self._authorised_answer(method, parts, raw)
        if fault is None:
            self._send(answer)
        else:
            self._send_faultily(answer, fault)

    def _body(self) -> bytes | None:
        if self._length() > MAX_BODY_BYTES:
            self.close_connection = True
            return None
        return self.rfile.read(self._length())

    def _length(self) -> int:
        return int(self.headers.get("Content-Length") or 0)

    def _authorised_answer(self, method: str, parts: tuple[str, ...], raw: bytes) -> _Answer:
        given = self.headers.get("X-Api-Key", "")
        if not compare_digest(given.encode(), self.server.api_key.encode()):
            return _problem(401, "X-Api-Key is missing or wrong")
        try:
            body = json.loads(raw) if raw else {}
        except ValueError:
            return _problem(400, "the body is not JSON")
        if not isinstance(body, dict):
            return _problem(422, "the body is not an object")
        return self._answer(method, parts, body)

    def _answer(self, method: str, parts: tuple[str, ...], body: dict[str, Any]) -> _Answer:
        match (method, *parts):
            case ("GET", "health"):
                return _Answer(200, {"status": "ok", "name": self.server.name})
            case ("GET", "counts"):
                return _Answer(200, self.server.books.counts())
            case ("GET", "documents", key):
                return self._look_up(key)
            case ("POST", "documents", key, "reversal"):
                return self._reverse(key)
            case ("POST", "faults"):
                return self._set_faults(body)
            case ("POST", kind):
                return self._write(kind, body)
        return _problem(404, "there is nothing here")

    def _look_up(self, key: str) -> _Answer:
        entry = self.server.books.find(self._number(key))
        return _problem(404, "no such document") if entry is None else _Answer(200, self._shown(entry))

    def _reverse(self, key: str) -> _Answer:
        original = self.server.books.find(self._number(key))
        if original is None:
            return _problem(404, "no such document")
        if original.reverses is not None:
            return _problem(422, "a reversal cannot be reversed")
        return self._write(original.kind, {}, original)

    def _write(self, kind: str, body: dict[str, Any], reversed_entry: Entry | None = None) -> _Answer:
        key = self.headers.get("Idempotency-Key", "").strip()
        if not key:
            return _problem(400, "Idempotency-Key is missing")
        plant = reversed_entry.plant if reversed_entry else self.headers.get("X-Plant") or str(body.get("plant", ""))
        number = reversed_entry.number if reversed_entry else None
        closed_to, day = self.server.closed_to, str(body.get("posting_date", ""))
        if day and day <= closed_to and self.server.books.find(key) is None:
            return _period_closed(closed_to)
        try:
            entry, is_new = self.server.books.write(key, kind, plant, body, number)
        except Conflict as conflict:
            return _problem(409, str(conflict))
        return _Answer(201 if is_new else 200, self._shown(entry))

    def _set_faults(self, body: dict[str, Any]) -> _Answer:
        try:
            self.server.faults.set(**body)
        except ValueError as error:
            return _problem(422, str(error))
        return _Answer(200, body)

    def _prefix(self) -> str:
        return self.server.name.upper() + "-"

    def _number(self, key: str) -> str:
        """A document answers to its posting key and to its id, such as WMS-17."""
        return key.removeprefix(self._prefix())

    def _shown(self, entry: Entry) -> Mapping[str, Any]:
        reversal = None if entry.reverses else self.server.books.reversal_of(entry.number)
        return {
            "id": f"{self._prefix()}{entry.number}",
            "posting_key": entry.posting_key,
            "kind": entry.kind,
            "plant": entry.plant,
            "document": json.loads(entry.body),
            "reverses": f"{self._prefix()}{entry.reverses}" if entry.reverses else None,
            "reversed_by": f"{self._prefix()}{reversal.number}" if reversal else None,
        }

    def _send(self, answer: _Answer) -> None:
        self._send_text(*self._rendered(answer))

    def _rendered(self, answer: _Answer) -> tuple[bytes, bytes]:
        body = json.dumps(answer.body).encode()
        lines = [f"HTTP/1.1 {answer.status} {self.responses.get(answer.status, ('Status',))[0]}"]
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        lines += [f"Retry-After: {answer.retry_after}"] if answer.retry_after else []
        lines += ["Connection: close"] if self.close_connection else []
        return "\r\n".join([*lines, "", ""]).encode(), body

    def _send_text(self, head: bytes, body: bytes) -> None:
        self.wfile.write(head + body)

    def _send_faultily(self, answer: _Answer, fault: Faults) -> None:
        if fault.hang_seconds:
            self._wait(fault.hang_seconds)
        if fault.drop_after_commit or fault.hang_seconds:
            self.close_connection = True
        elif fault.raw:
            self._send_text(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(fault.raw.encode())}\r\n\r\n".encode(), fault.raw.encode()
            )
        elif fault.drip_seconds:
            self._drip(b"".join(self._rendered(answer)), fault.drip_seconds)
        else:
            self._send(answer)

    def _drip(self, text: bytes, seconds: float) -> None:
        ends_at = time.monotonic() + MAX_WAIT_SECONDS
        for position in range(len(text)):
            if self.server.stopping.is_set() or time.monotonic() > ends_at:
                break
            self.wfile.write(text[position : position + 1])
            self._wait(seconds)
        self.close_connection = True

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self.server.stopping.wait(min(seconds, MAX_WAIT_SECONDS))
