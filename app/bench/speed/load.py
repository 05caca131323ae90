"""Senders over keep-alive connections, in a process of their own: each sends, waits for its answer, and sends again.

``python -m app.bench.speed.load`` reads a plan from standard input, a JSON object of the fields of ``LoadPlan``, and
prints what came of it. In the request, each ``@@@@@@@@@@`` stands for a number of ten digits that comes only once.
"""

from __future__ import annotations

import asyncio
import json
import math
import sys
import time
from base64 import b64decode
from collections import Counter
from dataclasses import dataclass
from typing import Any

import uvloop

MARK = b"@" * 10
ANSWER_SECONDS = 60.0


@dataclass(frozen=True)
class LoadPlan:
    """``request``: the whole of it, base64. ``requests``: how many in all. ``rate``: how many a second begin, whatever
    became of those before; 0 for as many as are answered. ``first``: the first number for the marks."""

    port: int
    clients: int
    requests: int
    request: str
    first: int
    rate: float = 0.0


class _Sender(asyncio.Protocol):
    """One connection: ``ask`` gives the status of the answer and how many seconds it took."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: Any = None
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(0)

    @property
    def is_open(self) -> bool:
        return not self._transport.is_closing()

    async def ask(self, request: bytes) -> int:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await asyncio.wait_for(self._answer, ANSWER_SECONDS)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        start = head.find(b"content-length:")
        length = int(self._buffer[start + 15 : self._buffer.find(b"\r\n", start)]) if start >= 0 else 0
        if len(self._buffer) < end + 4 + length:
            return
        status = int(self._buffer[9:12])
        self._buffer = self._buffer[end + 4 + length :]
        if b"connection: close" in head:
            self._transport.close()  # the server wants the client to come again
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(status)


class Load:
    def __init__(self, plan: LoadPlan) -> None:
        self._plan = plan
        self._parts = b64decode(plan.request).split(MARK)
        self._next = 0
        self._seconds: list[float] = []
        self._statuses: Counter[int] = Counter()

    async def run(self) -> dict[str, Any]:
        senders = [await self._connected() for _ in range(self._plan.clients)]
        began = time.monotonic()
        await asyncio.gather(*(self._work(sender, began) for sender in senders))
        return self._told(began, time.monotonic())

    async def _connected(self) -> _Sender:
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(_Sender, "127.0.0.1", self._plan.port))[1]

    async def _work(self, sender: _Sender, began: float) -> None:
        while self._next < self._plan.requests:
            number = self._next
            self._next += 1
            if self._plan.rate:
                await asyncio.sleep(max(0.0, began + number / self._plan.rate - time.monotonic()))
            if not sender.is_open:  # the server has had enough of it, as servers do of a client that rests
                sender = await self._connected()
            request = self._request(number)
            sent = time.monotonic()
            status = await sender.ask(request)
            self._seconds.append(time.monotonic() - sent)
            self._statuses[status] += 1

    def _request(self, number: int) -> bytes:
        marks = len(self._parts) - 1
        first = self._plan.first + number * marks
        filled = [part + b"%010d" % (first + place) for place, part in enumerate(self._parts[:-1])]
        return b"".join(filled) + self._parts[-1]

    def _told(self, began: float, ended: float) -> dict[str, Any]:
        seconds = sorted(self._seconds)
        return {
            "answered": len(seconds),
            "statuses": dict(self._statuses),
            "began_at": began,
            "seconds": ended - began,
            "p50": _share(seconds, 0.5),
            "p99": _share(seconds, 0.99),
            "slowest": seconds[-1],
        }


def _share(ordered: list[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1]


if __name__ == "__main__":
    print(json.dumps(uvloop.run(Load(LoadPlan(**json.load(sys.stdin))).run())))
