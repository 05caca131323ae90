"""Keep-alive connections are shared among the web processes, whatever came before."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.bench.ground import free_port
from app.bench.speed.connections import connections_by_process
from app.bench.speed.programs import await_condition, program
from app.stack.programs import WORKER_CLASS
from app.stack.running import answers

pytestmark = [
    pytest.mark.slow,
    pytest.mark.enable_socket,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells which process holds a socket"),
]

REQUEST = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"
CONNECTIONS = 64


def test_no_web_process_holds_nearly_all_connections_after_a_burst(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "web.log"
    arguments = ["-m", "gunicorn", "app.bench.speed.yardstick_web:nothing()", "--worker-class", WORKER_CLASS]
    arguments += ["--workers", "2", "--threads", "8", "--keep-alive", "30", "--bind", f"127.0.0.1:{port}"]
    with program(arguments, log) as server:
        await_condition(lambda: answers(f"http://127.0.0.1:{port}/"), "gunicorn", log)
        await_condition(lambda: len(_burst(port, server.pid)) == 2, "the second worker", log)

        splits = [_burst(port, server.pid) for _ in range(5)]

    assert all(sum(split) >= CONNECTIONS and split[0] <= 2 * split[1] for split in splits), splits


def _burst(port: int, server: int) -> list[int]:
    """How many connections each process holds of so many that come at once; those that hold none are left out."""
    with ExitStack() as ending:
        opened = [ending.enter_context(socket.create_connection(("127.0.0.1", port), 10)) for _ in range(CONNECTIONS)]
        for connection in opened:
            connection.sendall(REQUEST)
        for connection in opened:
            assert connection.recv(12) == b"HTTP/1.1 202"
        return [held for held in connections_by_process(port, server) or [] if held]
