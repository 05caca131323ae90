"""An ERP to practise on that is never the limit: it keeps keys and times in memory, and nothing else.

``python -m app.bench.speed.practice_erp`` prints its port and serves until its standard input ends. It speaks as much
HTTP/1.1 as an ERP's client needs: keep-alive, Content-Length, one request after the other on a connection.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import uvloop

END_OF_HEAD = b"\r\n\r\n"
KEY = b"x-posting-key:"
LENGTH = b"content-length:"
HEAD_MOST = 32_768


class PracticeErp:
    """``arrivals``: when each call that booked something came, by CLOCK_MONOTONIC, which all processes share."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        self._documents: dict[bytes, int] = {}
        self._arrivals: list[float] = []

    def answer(self, method: bytes, path: bytes, key: bytes, body: bytes) -> bytes:
        match method, path.split(b"/")[1:]:
            case b"POST", [b"forget"]:
                self.forget()
                return _json(200, {})
            case b"POST", [b"batch"]:
                return self._book_many(json.loads(body))
            case b"POST", _:
                return _json(201, {"id": self._book(key or b"none %d" % len(self._arrivals))})
            case b"GET", [b"figures"]:
                return _json(200, self._figures())
            case b"GET", [b"documents", asked] if asked in self._documents:
                return _json(200, {"id": self._documents[asked]})
            case b"GET", [b"health"]:
                return _json(200, {})
        return _json(404, {"detail": "there is nothing here"})

    def _book(self, key: bytes) -> int:
        self._arrivals.append(time.monotonic())
        return self._documents.setdefault(key, len(self._documents) + 1)

    def _book_many(self, documents: list[dict[str, Any]]) -> bytes:
        return _json(200, {"results": [{"id": self._book(one["key"].encode())} for one in documents]})

    def _figures(self) -> dict[str, Any]:
        times = self._arrivals
        return {
            "documents": len(self._documents),
            "calls": len(times),
            "first_at": times[0] if times else None,
            "last_at": times[-1] if times else None,
        }


class _Connection(asyncio.Protocol):
    def __init__(self, erp: PracticeErp) -> None:
        self._erp = erp
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(END_OF_HEAD)) >= 0:
            head = self._buffer[:end]
            line, _, rest = head.partition(b"\r\n")
            fields = rest.lower()
            body_at = end + len(END_OF_HEAD)
            body_end = body_at + int(_field(fields, LENGTH, fields) or 0)
            if len(self._buffer) < body_end:
                return
            method, path, _ = line.split(b" ", 2)
            answer = self._erp.answer(method, path, _field(fields, KEY, rest), self._buffer[body_at:body_end])
            self._buffer = self._buffer[body_end:]
            self._transport.write(answer)
        if len(self._buffer) > HEAD_MOST:
            self._transport.close()


def _field(fields: bytes, name: bytes, original: bytes) -> bytes:
    start = fields.find(name)
    if start < 0:
        return b""
    start += len(name)
    end = fields.find(b"\r\n", start)
    return original[start : end if end >= 0 else None].strip()


def _json(status: int, value: Any) -> bytes:
    body = json.dumps(value).encode()
    return b"HTTP/1.1 %d OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (
        status,
        len(body),
        body,
    )


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    erp = PracticeErp()
    server = await loop.create_server(lambda: _Connection(erp), "127.0.0.1", 0, backlog=1024)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    uvloop.run(_serve())
