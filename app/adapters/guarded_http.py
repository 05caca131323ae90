"""Calls to addresses that a person typed in: only to where they may lead, whatever the name resolves to.

The address is checked when the connection is made, on the very address that is connected to, so a name that resolves
otherwise a moment later leads nowhere else. Redirects are not followed, and answers are bounded.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

from app.adapters.bounded_http import (
    BoundedHttp,
    CallFailed,
    HttpAnswer,
    _BoundedHTTPConnection,
    _BoundedHTTPPool,
    _BoundedHTTPSConnection,
    _BoundedHTTPSPool,
)

URL_MOST = 2_000


class UrlRefused(ValueError):
    """The URL may not be called; the text says why and what to do."""


@dataclass(frozen=True)
class Reach:
    """Where calls may lead: to public addresses over https, and besides to these hosts (``hooks.plant.example``,
    ``10.1.2.3``) and networks (``10.1.0.0/16``), over http too."""

    allowed: Collection[str] = ()

    def check_url(self, url: str) -> None:
        """Raises UrlRefused for what is never called, before any name is resolved."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            raise UrlRefused("the URL cannot be read") from None
        if len(url) > URL_MOST or not url.isprintable() or " " in url:
            raise UrlRefused(f"a URL has at most {URL_MOST:,} printable characters and no blanks")
        if parts.scheme not in ("http", "https") or not host:
            raise UrlRefused("the URL must begin with https:// and name a host")
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise UrlRefused("the URL must hold no name, password or fragment; the signature proves who calls")
        address = _address(host)
        if parts.scheme == "http" and not self.allows(host, address):
            raise UrlRefused(f"http is taken for hosts that the topology allows only; use https, or {_MEND}")
        if address is not None and not self.leads_to(host, address):
            raise UrlRefused(f"{host} is no public address; {_MEND}")

    def allows(self, host: str, address: Any) -> bool:
        """Whether the topology names the host, or a network that the address is in."""
        if host.lower().rstrip(".") in {name.lower() for name in self.allowed}:
            return True
        return address is not None and any(address in network for network in self._networks())

    def leads_to(self, host: str, address: Any) -> bool:
        is_public = address.is_global and not address.is_multicast
        return is_public or self.allows(host, address)

    def _networks(self) -> Iterator[Any]:
        for name in self.allowed:
            try:
                yield ipaddress.ip_network(name)
            except ValueError:
                continue


_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_MEND = "name it under `webhooks: allow:` in the topology"


@dataclass
class _Guard:
    """What this thread's call may reach, and whether it was kept from anything."""

    reach: Reach
    has_refused: bool = False


_guard: ContextVar[_Guard | None] = ContextVar("guard", default=None)


def _address(text: str) -> Any:
    """An address; of an IPv6 one that stands for an IPv4 one (mapped, 6to4, NAT64) the IPv4 one."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found.ipv4_mapped or found.sixtofour or found


def _connect(connection: Any) -> socket.socket:
    """To the first address of the host that may be reached and answers."""
    guard, host = _guard.get() or _Guard(Reach()), str(connection._dns_host)
    try:
        found = socket.getaddrinfo(host, connection.port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise urllib3.exceptions.NameResolutionError(host, connection, error) from None  # type: ignore[arg-type]
    allowed = [entry for entry in found if guard.reach.leads_to(host, _address(str(entry[4][0])))]
    if not allowed:
        guard.has_refused = True
        raise urllib3.exceptions.NewConnectionError(connection, "no address that may be called")
    return _first(connection, allowed)


def _first(connection: Any, found: Collection[Any]) -> socket.socket:
    last: OSError | None = None
    for family, kind, protocol, _, address in found:
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(connection.timeout)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
            continue
        return sock
    if isinstance(last, TimeoutError):
        raise urllib3.exceptions.ConnectTimeoutError(connection, "no connection within the time-out")
    raise urllib3.exceptions.NewConnectionError(connection, "the connection was refused")


class _GuardedHTTPConnection(_BoundedHTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _GuardedHTTPSConnection(_BoundedHTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _GuardedHTTPPool(_BoundedHTTPPool):
    ConnectionCls = _GuardedHTTPConnection


class _GuardedHTTPSPool(_BoundedHTTPSPool):
    ConnectionCls = _GuardedHTTPSConnection


class GuardedHttp(BoundedHttp):
    """As BoundedHttp, and connections lead only to where ``reach`` lets them."""

    def __init__(self, timeout_seconds: float, connections: int, reach: Reach, ca_file: str | None = None) -> None:
        super().__init__(timeout_seconds, connections, ca_file)
        self.reach = reach
        self._pool.pool_classes_by_scheme = {"http": _GuardedHTTPPool, "https": _GuardedHTTPSPool}

    def call(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> HttpAnswer:
        """As BoundedHttp. Raises UrlRefused for a URL that is never called, CallFailed also where its host leads
        nowhere that may be reached."""
        self.reach.check_url(url)
        guard = _Guard(self.reach)
        token = _guard.set(guard)
        try:
            return super().call(method, url, headers, body)
        except CallFailed as failed:
            if guard.has_refused:
                raise CallFailed(f"the host has no address that may be called; {_MEND}", was_sent=False) from None
            raise failed
        finally:
            _guard.reset(token)
