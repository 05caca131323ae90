"""A TCP gate before a server: open it lets every byte through, shut it ends what is connected and refuses the rest."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from types import TracebackType

CHUNK_BYTES = 65_536
CONNECT_SECONDS = 5.0


class Gate:
    """Listens on a port of its own while its block runs."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._is_open = True
        self._connected: set[socket.socket] = set()
        self._lock = threading.Lock()

    def __enter__(self) -> Gate:
        threading.Thread(target=self._serve, name="gate", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        _end(self._listener)
        self.shut()

    def open(self) -> None:
        self._is_open = True

    def shut(self) -> None:
        self._is_open = False
        with self._lock:
            connected, self._connected = self._connected, set()
        for end in connected:
            _end(end)

    def _serve(self) -> None:
        while True:
            try:
                came, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(came,), name="gate-join", daemon=True).start()

    def _join(self, came: socket.socket) -> None:
        try:
            if not self._is_open:
                raise ConnectionRefusedError
            server = socket.create_connection(self._server, CONNECT_SECONDS)
        except OSError:
            _end(came)
            return
        server.settimeout(None)
        with self._lock:
            self._connected |= {came, server}
        threading.Thread(target=_pour, args=(server, came), name="gate-back", daemon=True).start()
        _pour(came, server)
        with self._lock:
            self._connected -= {came, server}


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(CHUNK_BYTES):
            sink.sendall(data)
    _end(source)
    _end(sink)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
