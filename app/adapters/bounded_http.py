"""One HTTP call that ends in time, whatever the other side does, and that knows whether it may have taken effect.

A read time-out alone bounds only the silence between two bytes; a server that sends one byte a second would hold a
thread for ever. Here every read of the socket checks one deadline for the whole call, and no call outlasts the budget
of the question or posting that it belongs to.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from app.adapters.budget import current_budget
from app.adapters.retry_after import retry_after_seconds

MAX_ANSWER_BYTES = 1_000_000
MAX_CONNECT_SECONDS = 10.0
_CHUNK_BYTES = 262_144
# How far a socket's time-out may be from what is left of the call. To set it is a call into the kernel, and gives up
# Python's lock: five of them were a tenth of a small call.
_SLACK_SECONDS = 0.02


@dataclass
class _Call:
    """The call that this thread makes now: until when, and whether a byte of it has gone out."""

    ends_at: float
    was_sent: bool = False

    def seconds_left(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole call is over")
        return left


_current: ContextVar[_Call | None] = ContextVar("current_call", default=None)


@dataclass(frozen=True)
class HttpAnswer:
    """Whatever came back, whole. ``headers`` have lower-case names; ``cookies`` are ``name=value``, without terms."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cookies: tuple[str, ...] = ()

    def wished_seconds(self, now: datetime) -> float | None:
        """After how long the other side wants to be called again, where it says so."""
        return retry_after_seconds(self.headers.get("retry-after"), now)


class CallFailed(Exception):
    """No whole answer came. ``was_sent`` False: certainly nothing reached the other side; True: it may have."""

    def __init__(self, reason: str, was_sent: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.was_sent = was_sent


class _DeadlineStream(io.RawIOBase):
    """Reads of a socket, each allowed only the time that is left of the call."""

    def __init__(self, sock: socket.socket, call: _Call) -> None:
        self._raw = sock.makefile("rb", buffering=0)
        self._sock = sock
        self._call = call
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        _allow(self._sock, self._call.seconds_left())
        count = self._raw.readinto(buffer)
        self.has_ended = count == 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self._stream: _DeadlineStream | None = None
        call = _current.get()
        if call is not None:
            self.fp.close()
            self._stream = _DeadlineStream(sock, call)
            self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        if self._stream is not None and self._stream.has_ended:
            # http.client takes headers that break off for whole ones, and then a status without its body for an answer.
            raise http.client.IncompleteRead(b"")


def _note_sending(connection: HTTPConnection) -> None:
    """Called before bytes of a request go out; what fails before the first of them cannot have taken effect."""
    call = _current.get()
    if call is None:
        return
    if connection.sock is None:
        connection.connect()
    # A host of many addresses, or one that is slow to be found, may have taken all the time: then nothing goes out.
    seconds = call.seconds_left()
    call.was_sent = True
    if connection.sock is not None:
        _allow(connection.sock, seconds)


def _allow(sock: socket.socket, seconds: float) -> None:
    """Its next operation may take so long."""
    now = sock.gettimeout()
    if now is None or abs(now - seconds) > _SLACK_SECONDS:
        sock.settimeout(seconds)


class _BoundedHTTPConnection(HTTPConnection):
    """Head and body go out as one: as two they are twice the calls into the kernel, and twice the packets."""

    response_class = _BoundedResponse
    _held: list[bytes] | None = None

    def request(self, *arguments: Any, **named: Any) -> None:
        held: list[bytes] = []
        self._held = held
        try:
            super().request(*arguments, **named)
        finally:
            self._held = None
        self.send(b"".join(held))

    def send(self, data: Any) -> None:
        if self._held is not None and isinstance(data, bytes):
            self._held.append(data)
            return
        _note_sending(self)
        super().send(data)


class _BoundedHTTPSConnection(_BoundedHTTPConnection, HTTPSConnection):
    pass


class _BoundedHTTPPool(HTTPConnectionPool):
    ConnectionCls = _BoundedHTTPConnection


class _BoundedHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedHTTPSConnection


class BoundedHttp:
    """Keep-alive connections to one system, as many as it may get calls at once. Safe to share between threads."""

    def __init__(self, timeout_seconds: float, connections: int, ca_file: str | None = None) -> None:
        self._timeout_seconds = timeout_seconds
        self._pool = urllib3.PoolManager(
            num_pools=2, maxsize=connections, block=False, retries=False, cert_reqs="CERT_REQUIRED", ca_certs=ca_file
        )
        self._pools: dict[tuple[str, str], HTTPConnectionPool] = {}
        self._pool.pool_classes_by_scheme = {"http": _BoundedHTTPPool, "https": _BoundedHTTPSPool}

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """The whole answer of one request, never repeated and never redirected; raises CallFailed where none came, or
        where the budget of this thread is used up."""
        now = time.monotonic()
        seconds = min(self._timeout_seconds, current_budget().ends_at - now)
        if seconds <= 0:
            raise CallFailed("the time for the whole posting was over before this call of it", was_sent=False)
        call = _Call(now + seconds)
        token = _current.set(call)
        try:
            return self._exchange(call, seconds, method, url, headers, body)
        except (urllib3.exceptions.HTTPError, OSError, http.client.HTTPException) as error:
            raise CallFailed(_reason(error, seconds), call.was_sent) from None
        finally:
            _current.reset(token)

    def _way_to(self, url: str) -> tuple[HTTPConnectionPool, str]:
        """The connections to the URL's host, and its path and query. The manager would take the URL apart at each call,
        which costs a third of a small one."""
        scheme, host, path, query, _ = urlsplit(url)
        pool = self._pools.get((scheme, host))
        if pool is None:
            pool = self._pools[scheme, host] = self._pool.connection_from_url(url)
        return pool, f"{path or '/'}?{query}" if query else path or "/"

    def _exchange(
        self, call: _Call, seconds: float, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> HttpAnswer:
        pool, target = self._way_to(url)
        response = pool.urlopen(
            method,
            target,
            body=body,
            headers={"User-Agent": "lineside", "Accept-Encoding": "identity", **headers},
            timeout=urllib3.Timeout(connect=min(MAX_CONNECT_SECONDS, seconds), read=seconds),
            retries=False,
            redirect=False,
            assert_same_host=False,
            preload_content=False,
            decode_content=False,
        )
        try:
            text = b""
            # Up to the empty read: only there does the library tell a whole body from one that broke off.
            while chunk := response.read(_CHUNK_BYTES):
                text += chunk
                if len(text) > MAX_ANSWER_BYTES:
                    raise CallFailed(f"the answer is larger than {MAX_ANSWER_BYTES:,} bytes", call.was_sent)
        except BaseException:
            # A connection with an answer half read must not go back to the pool.
            response.close()
            raise
        response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        cookies = tuple(cookie.partition(";")[0].strip() for cookie in response.headers.getlist("set-cookie"))
        return HttpAnswer(response.status, headers, text, cookies)


def _reason(error: Exception, seconds: float) -> str:
    """A short sentence; the library's own texts name internals, and may hold the URL."""
    exceptions = urllib3.exceptions
    if isinstance(error, exceptions.NameResolutionError):
        return "the host has no address"
    if isinstance(error, exceptions.NewConnectionError):
        return "the connection was refused, or no way leads there"
    if isinstance(error, exceptions.ConnectTimeoutError):
        return "no connection within the time-out"
    if isinstance(error, (exceptions.TimeoutError, TimeoutError)):
        return f"no whole answer within {round(seconds, 1):g} seconds"
    if isinstance(error, exceptions.SSLError):
        return f"TLS failed: {error}"[:300]
    return "the connection was lost before the whole answer came"
