"""A call whose sender died over it is no document: not in a practice system, not through the proxy, not in a double."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from app.bench.faulty_proxy import FaultyProxy
from app.bench.practice_systems import MES, PracticeSystems

HEAD = (
    "POST {path}/production.order.released.v1 HTTP/1.1\r\nHost: here\r\nX-Posting-Key: K1\r\nContent-Length: 17\r\n\r\n"
)
WHOLE = b'{"order": "1000"}'


@pytest.fixture
def systems(tmp_path: Path) -> Iterator[PracticeSystems]:
    with PracticeSystems(tmp_path / "books.db", busy=False) as systems:
        yield systems


def _call(url: str, body: bytes) -> bytes:
    """The answer to a call of which only so much is sent before its sender is gone."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(HEAD.format(path=parts.path).encode() + body)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(4096), b""))


@pytest.mark.parametrize("sent", [b"", WHOLE[:9]])
def test_half_a_call_is_no_document(systems: PracticeSystems, sent: bytes) -> None:
    with FaultyProxy(systems.url(MES)) as proxy:
        answers = [_call(systems.url(MES), sent), _call(proxy.url, sent)]

    assert answers == [b"", b""]
    assert list(systems.books.entries()) == []


def test_a_whole_call_is_one(systems: PracticeSystems) -> None:
    with FaultyProxy(systems.url(MES)) as proxy:
        answers = [_call(systems.url(MES), WHOLE), _call(proxy.url, WHOLE)]

    assert [answer.startswith(b"HTTP/1.1 201") for answer in answers] == [True, True]
    assert len(list(systems.books.entries())) == 2
