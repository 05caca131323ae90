"""An ERP, a WMS and an MES to practise on, over HTTP: they take what they are sent and keep plain books of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

from app.bench.plain_books import Deltas, PlainBooks

ERP, WMS, MES = "erp", "wms", "mes"
SYSTEMS = (ERP, WMS, MES)
TRYTON = "tryton"
"""The real ERP beside them, where a run has one."""

LOCKED_ITEM = "LOCKED-1"
"""The ERP refuses every document about this item."""

BIN_TAKES = 500
"""The WMS refuses to put more of an item away; the ERP has taken it by then."""

REVERSAL = "reversal"

# One key in so many is answered "not now" when it first comes.
BUSY_ONE_IN = 25
# And one in so many of those is told when to come again.
WISH_ONE_IN = 16


class RefusedDocument(Exception):
    """The document cannot be booked; the text says why."""


@dataclass(frozen=True)
class _Answer:
    status: int
    body: Mapping[str, Any]
    retry_after: str = ""


class PracticeSystems:
    """All of them behind one port, each under its name. ``busy`` ones turn some documents away at first. Ends with its
    block."""

    def __init__(self, path: Path, busy: bool = True) -> None:
        self._busy = busy
        self.books = PlainBooks(path)
        self._turned_away: set[str] = set()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))

    def __enter__(self) -> PracticeSystems:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), name="practice", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self.books.close()

    def url(self, system: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/{system}"

    def answer(self, method: str, parts: list[str], key: str, body: Mapping[str, Any]) -> _Answer:
        match (method, *parts):
            case ("GET", system, "health"):
                return _Answer(200, {"system": system})
            case ("GET", system, "documents", asked):
                number = self.books.oldest(system, asked)
                return _Answer(404, {"detail": "no such document"}) if number is None else _Answer(200, {"id": number})
            case ("POST", system, "documents", number, "reversal") if system in SYSTEMS and key:
                return self._reverse(system, number, key)
            case ("POST", system, kind) if system in SYSTEMS and key:
                return self._book(system, kind, key, body)
        return _Answer(404, {"detail": "there is nothing here"})

    def _book(self, system: str, kind: str, key: str, body: Mapping[str, Any]) -> _Answer:
        if self._is_busy(key):
            return _not_now(key)
        try:
            deltas = stock_deltas(body) if system == ERP else {}
            if system == WMS:
                _refuse_too_much(body)
        except RefusedDocument as refusal:
            return _Answer(422, {"detail": str(refusal)})
        return _Answer(201, {"id": self.books.write(system, key, kind, body, deltas)})

    def _reverse(self, system: str, number: str, key: str) -> _Answer:
        """Another document, as often as it is called: whoever reverses twice is seen."""
        body = self.books.body(system, int(number)) if number.isdigit() else None
        if body is None:
            return _Answer(404, {"detail": "no such document"})
        if self._is_busy(key):
            return _not_now(key)
        back = {where: -moved for where, moved in stock_deltas(body).items()} if system == ERP else {}
        return _Answer(201, {"id": self.books.write(system, key, REVERSAL, {"reverses": int(number)}, back)})

    def _is_busy(self, key: str) -> bool:
        turned_away = (
            self._busy and sha256(key.encode()).digest()[0] % BUSY_ONE_IN == 0 and key not in self._turned_away
        )
        self._turned_away.add(key)
        return turned_away


def _not_now(key: str) -> _Answer:
    """Only now and then with Retry-After: it has the whole target left alone for that second."""
    return _Answer(503, {"detail": "not now"}, "1" if sha256(key.encode()).digest()[1] % WISH_ONE_IN == 0 else "")


def _refuse_too_much(task: Mapping[str, Any]) -> None:
    for line in task["lines"]:
        if Decimal(line["quantity"]["value"]) > BIN_TAKES:
            raise RefusedDocument(f"the bin takes at most {BIN_TAKES} of item {line['item']}")


def stock_deltas(document: Mapping[str, Any]) -> Deltas:
    """What a document does to the ERP's stock: a production, a transfer or a receipt. Raises RefusedDocument."""
    match document["form"]:
        case "production":
            came = [(line["storage"], line, 1) for line in document["outputs"]]
            parts = came + [(line["storage"], line, -1) for line in document["inputs"]]
        case "transfer":
            ends = ((document["from"], -1), (document["to"], 1))
            parts = [(place, line, sign) for line in document["lines"] for place, sign in ends]
        case _:
            parts = [(document["storage"], {**document, "quantity": document["accepted"]}, 1)]
    deltas: dict[tuple[str, str], Decimal] = {}
    for place, line, sign in parts:
        if line["item"] == LOCKED_ITEM:
            raise RefusedDocument(f"item {LOCKED_ITEM} is locked for postings")
        where = (place, line["item"])
        deltas[where] = deltas.get(where, Decimal(0)) + sign * Decimal(line["quantity"])
    return deltas


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that hung up; what was booked stands in the books."""


def _handler_of(systems: PracticeSystems) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve("GET")

        def do_POST(self) -> None:
            self._serve("POST")

        def _serve(self, method: str) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            raw = self.rfile.read(length)
            if len(raw) < length:  # whoever sent it died over it: not even half a document is one
                self.close_connection = True
                return
            parts = [part for part in self.path.partition("?")[0].split("/") if part]
            answer = systems.answer(method, parts, self.headers.get("X-Posting-Key", ""), json.loads(raw or b"{}"))
            body = json.dumps(answer.body).encode()
            self.send_response(answer.status)
            self.send_header("Content-Length", str(len(body)))
            if answer.retry_after:
                self.send_header("Retry-After", answer.retry_after)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Silent: what was done stands in the books."""

    return Handler
