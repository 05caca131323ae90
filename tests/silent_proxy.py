"""A proxy before a database or broker that does what networks do: cut, refuse, or swallow in silence."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
from types import TracebackType
from urllib.parse import urlsplit


class SilentProxy:
    """``url`` stands for the real one. Faults meet the connections that there are; new ones work unless refused."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self._real = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=100)
        self._port = self._listener.getsockname()[1]
        self.url = url.replace(f"{parts.hostname}:{parts.port}", f"127.0.0.1:{self._port}")
        self._lock = threading.Lock()
        self._passing: set[socket.socket] = set()
        self._silent: set[socket.socket] = set()
        self._refuses = False

    def __enter__(self) -> SilentProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self._listener.close()
        self.cut()
        for one in self._silent:
            one.close()

    def swallow(self) -> None:
        """Every connection that there is stays open, and nothing comes through it any more."""
        with self._lock:
            self._silent |= self._passing
            self._passing.clear()

    def cut(self) -> None:
        """Reset every connection that there is."""
        with self._lock:
            cut, self._passing = self._passing, set()
        for one in cut:
            _shut(one)

    def refuse(self, refuses: bool = True) -> None:
        """Cut all, and let nobody in until told otherwise."""
        self._refuses = refuses
        if refuses:
            self.cut()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:  # closed at the end
                return
            if self._refuses:
                caller.close()
                continue
            threading.Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        with socket.create_connection(self._real) as real:
            with self._lock:
                self._passing |= {caller, real}
            try:
                while caller in self._passing and self._pass_on(caller, real):
                    pass
            except OSError:
                pass  # one of them was reset
            if caller in self._silent:
                return  # the far end is closed, ours stands open
        with self._lock:
            self._passing -= {caller, real}
        _shut(caller)

    def _pass_on(self, caller: socket.socket, real: socket.socket) -> bool:
        """False once one of them has ended."""
        for one in select.select([caller, real], [], [], 0.2)[0]:
            data = one.recv(65_536)
            if caller not in self._passing:
                return True
            if not data:
                return False
            (real if one is caller else caller).sendall(data)
        return True


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
