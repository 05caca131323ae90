"""Practice doubles of a WMS, a planning platform and an MES, for the demonstration and the tests.

A double keeps books: a document posted twice under one ``Idempotency-Key`` stands there once, and a restart forgets
nothing. ``POST /faults`` lets it misbehave on purpose. It binds to loopback and wants its API key on every request.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Any

from app.demo.double_books import Books
from app.demo.double_http import DoubleServer


class PracticeDouble:
    """One double. ``start`` serves from a thread of this process, ``stop`` ends it with all its connections."""

    def __init__(self, name: str, directory: Path, api_key: str, port: int = 0) -> None:
        self.name = name
        self.api_key = api_key
        self.books = Books(directory / f"{name}.db")
        self._server = DoubleServer(port, name, api_key, self.books)
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def start(self) -> PracticeDouble:
        self._thread = threading.Thread(target=self.run, name=f"double-{self.name}", daemon=True)
        self._thread.start()
        return self

    def run(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def shut_down(self) -> None:
        """Ends ``run``; call it from another thread than the one that runs."""
        self._server.stopping.set()
        self._server.shutdown()

    def close(self) -> None:
        self._server.hang_up()
        self._server.server_close()
        self.books.close()

    def stop(self) -> None:
        self.shut_down()
        if self._thread is not None:
            self._thread.join(timeout=10)
        self.close()

    def close_periods(self, closed_to: str) -> None:
        """Refuses new documents whose ``posting_date`` is this day or earlier; an empty text opens all again."""
        self._server.closed_to = closed_to

    def misbehave(self, **switches: Any) -> None:
        """Sets the faults that ``POST /faults`` sets."""
        self._server.faults.set(**switches)


def serve(name: str, port: int, directory: Path, api_key: str) -> None:
    """Runs a double in the foreground until SIGTERM or SIGINT."""
    serve_until_signalled(PracticeDouble(name, directory, api_key, port))


def serve_until_signalled(double: PracticeDouble) -> None:
    """Runs in the main thread, since only there can signals be taken."""

    def end(*_: Any) -> None:
        # The server's own loop runs in this thread, so another one has to tell it to end.
        threading.Thread(target=double.shut_down, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        double.run()
    finally:
        double.close()
