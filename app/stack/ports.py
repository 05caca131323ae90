"""Whether a port is free, and if not, who has it and which setting moves us elsewhere."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LISTENING = "0A"
COMMAND_MOST = 80


@dataclass(frozen=True)
class NeededPort:
    """``setting`` is what a person changes to use another port."""

    process: str
    host: str
    port: int
    setting: str


class PortsTaken(Exception):
    """Ports that are needed belong to others; the text has a line for each."""


def check_ports(needed: Iterable[NeededPort]) -> None:
    """Raise PortsTaken with a line for every port that cannot be had."""
    lines = [line for port in needed if (line := _fault(port)) is not None]
    if lines:
        raise PortsTaken("\n".join(lines))


def _fault(needed: NeededPort) -> str | None:
    family = socket.AF_INET6 if ":" in needed.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((needed.host, needed.port))
            probe.listen(1)
        except OSError as error:
            holder = port_holder(needed.port)
            why = f"is taken by {holder}" if holder else f"cannot be had ({error.strerror})"
            return f"{needed.process}: port {needed.port} on {needed.host} {why}; end that, or set {needed.setting}."
    return None


def port_holder(port: int) -> str | None:
    """``NAME (pid N)`` of the process that listens on the port, where the system tells us."""
    inodes = set(_listening_inodes(port))
    if not inodes:
        return None
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & set(_socket_inodes(process)):
            with suppress(OSError):
                return f"{_shown(process.joinpath('cmdline').read_bytes())} (pid {process.name})"
    return None


def _shown(command_line: bytes) -> str:
    """The first words of a command line as one short line: an argument may be a whole program, line ends and all."""
    words = command_line.decode(errors="replace").split("\0")[:4]
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in " ".join(words)).split())
    return line if len(line) <= COMMAND_MOST else line[: COMMAND_MOST - 3] + "..."


def _listening_inodes(port: int) -> Iterator[str]:
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        try:
            lines = table.read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in map(str.split, lines):
            if fields[3] == LISTENING and int(fields[1].rsplit(":", 1)[1], 16) == port:
                yield fields[9]


def _socket_inodes(process: Path) -> Iterator[str]:
    with suppress(OSError):
        for handle in process.joinpath("fd").iterdir():
            with suppress(OSError):
                target = str(handle.readlink())
                if target.startswith("socket:["):
                    yield target[len("socket:[") : -1]
