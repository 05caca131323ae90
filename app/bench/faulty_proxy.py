"""A proxy before a real server that spoils one call each time it is told: loses the answer, answers itself, is late."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

HOLD_SECONDS = 20.0
ANY = ""
KEPT_HEADERS = ("Content-Type", "Retry-After")


class FaultyProxy:
    """``url`` stands for the real server's; paths are matched by their end, before the query. ``ANY`` is every method,
    or every path."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._faults: list[tuple[str, str, Callable[[_Call], None]]] = []
        self._came: list[str] = []
        self.spoilt = 0
        self._hangs = False
        self._lock = threading.Lock()
        self._released = threading.Event()
        proxy = self

        class Handler(_Call):
            def handle_call(self) -> None:
                proxy._serve(self)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}{parts.path}"

    def __enter__(self) -> FaultyProxy:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def lose_answer_of(self, method: str, path: str) -> None:
        def lose(call: _Call) -> None:
            self._forward(call)
            call.hang_up()

        self._faults.append((method, path, lose))

    def answer(self, method: str, path: str, status: int, headers: Mapping[str, str], body: bytes = b"{}") -> None:
        self._faults.append((method, path, lambda call: call.reply(status, headers, body)))

    def answer_after(self, method: str, path: str, status: int) -> None:
        """The call takes effect, and its answer says that it failed."""

        def spoil(call: _Call) -> None:
            self._forward(call)
            call.reply(status, {}, b"{}")

        self._faults.append((method, path, spoil))

    def delay(self, method: str, path: str, seconds: float) -> None:
        """The call comes late, whether or not its caller still waits."""

        def wait() -> None:
            self._released.wait(seconds)

        self.before(method, path, wait)

    def reset(self, method: str, path: str) -> None:
        """The connection is reset before anything was done."""
        self._faults.append((method, path, lambda call: call.reset()))

    def hang(self) -> None:
        """From now on no call is answered, until ``recover``."""
        self._hangs = True

    def recover(self) -> None:
        """Forget the faults that nobody met, and let go what is held."""
        with self._lock:
            self._faults.clear()
            self._hangs = False
        self._released.set()
        self._released = threading.Event()

    def let_through(self, method: str, path: str) -> None:
        """Count this call off, so that the next fault meets a later one."""
        self.before(method, path, lambda: None)

    def passed(self, path: str) -> int:
        """How many calls whose path ends so came by, whatever was made of them."""
        return sum(came.endswith(path) for came in self._came)

    def hold(self, method: str, path: str) -> None:
        self._faults.append((method, path, self._hold))

    def _hold(self, call: _Call) -> None:
        self._released.wait(HOLD_SECONDS)
        call.hang_up()

    def before(self, method: str, path: str, act: Callable[[], Any]) -> None:
        """Do something first, then let the call through."""

        def first(call: _Call) -> None:
            act()
            call.reply(*self._forward(call))

        self._faults.append((method, path, first))

    def _serve(self, call: _Call) -> None:
        if not call.is_whole():
            call.hang_up()
            return
        with self._lock:
            self._came.append(call.path.partition("?")[0])
            fault = next((f for f in self._faults if f[0] in (ANY, call.command) and call.ends_with(f[1])), None)
            if fault is not None:
                self._faults.remove(fault)
            elif self._hangs:
                fault = (ANY, ANY, self._hold)
        if fault is not None:
            self.spoilt += 1
            fault[2](call)
        else:
            call.reply(*self._forward(call))

    def _forward(self, call: _Call) -> tuple[int, Mapping[str, str], bytes]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        try:
            connection.request(call.command, call.path, call.body, dict(call.headers.items()))
            answer = connection.getresponse()
            kept = {name: text for name in KEPT_HEADERS if (text := answer.getheader(name)) is not None}
            return answer.status, kept, answer.read()
        finally:
            connection.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that did not wait for its answer, or a server that is gone: what a proxy like this is for."""


class _Call(BaseHTTPRequestHandler):
    """One call on its way; the connection ends with it."""

    protocol_version = "HTTP/1.1"
    body = b""

    def handle_call(self) -> None:
        raise NotImplementedError

    do_GET = do_POST = do_PUT = lambda self: self.handle_call()

    def ends_with(self, path: str) -> bool:
        return self.path.partition("?")[0].endswith(path)

    def is_whole(self) -> bool:
        """Reads the body; False where its sender died over it. Such a call is nobody's: passed on, it would keep the
        server waiting for the rest, and be taken for a document without one by a server that is less strict."""
        length = int(self.headers.get("Content-Length", 0))
        self.body = self.rfile.read(length)
        return len(self.body) == length

    def reply(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def hang_up(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def log_message(self, *_: object) -> None:
        """Silent: a test's output is for its failure."""
