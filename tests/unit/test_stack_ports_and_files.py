"""Before anything starts: ports that are taken and paths that cannot be are named with their mend."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.stack.output_files import keep_within_bounds, last_line, open_output
from app.stack.ports import NeededPort, PortsTaken, check_ports, port_holder
from app.stack.valkey import SOCKET_PATH_BYTES, SocketUnusable, check_socket_path, is_answering, program
from config.settings import load_settings


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_taken_port_is_told_with_its_number_its_setting_and_its_holder(taken: socket.socket) -> None:
    port = taken.getsockname()[1]

    with pytest.raises(PortsTaken) as refused:
        check_ports([NeededPort("web", "127.0.0.1", port, "LINESIDE_PORT")])

    assert f"port {port}" in str(refused.value)
    assert "LINESIDE_PORT" in str(refused.value)
    if Path("/proc/net/tcp").exists():
        assert f"(pid {os.getpid()})" in str(refused.value)


PROGRAM = """\
import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
input()
"""


def test_a_holder_whose_command_is_a_whole_program_is_told_on_one_short_line() -> None:
    command = [sys.executable, "-c", PROGRAM + "# and so on\n" * 50]
    holder = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None
        with pytest.raises(PortsTaken) as refused:
            check_ports([NeededPort("web", "127.0.0.1", int(holder.stdout.readline()), "LINESIDE_PORT")])
    finally:
        holder.communicate("\n", timeout=20)

    (line,) = str(refused.value).splitlines()
    assert len(line) < 250
    if Path("/proc/net/tcp").exists():
        assert f"... (pid {holder.pid})" in line


def test_every_taken_port_is_told_at_once(taken: socket.socket) -> None:
    port = taken.getsockname()[1]

    with pytest.raises(PortsTaken) as refused:
        check_ports([NeededPort(name, "127.0.0.1", port, f"SETTING_{name}") for name in ("web", "flower")])

    assert len(str(refused.value).splitlines()) == 2


def test_a_port_that_was_just_given_up_is_free(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)) as client:
        accepted, _ = taken.accept()
        accepted.close()
        client.recv(1)
    taken.close()

    check_ports([NeededPort("web", "127.0.0.1", port, "LINESIDE_PORT")])

    assert port_holder(port) is None


def test_a_home_too_long_for_a_socket_is_refused_with_the_limit(tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path / ("x" * SOCKET_PATH_BYTES))})

    with pytest.raises(SocketUnusable, match=f"{SOCKET_PATH_BYTES} is the limit"):
        check_socket_path(settings)


def test_a_socket_that_a_killed_broker_left_is_no_running_broker(tmp_path: Path) -> None:
    settings = load_settings({"LINESIDE_HOME": str(tmp_path / "h")})
    settings.run_dir.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(settings.run_dir / "valkey.sock"))

    assert not is_answering(settings)
    assert "--port" in program(settings).arguments


def test_the_embedded_broker_keeps_what_it_has_and_opens_no_port(tmp_path: Path) -> None:
    arguments = program(load_settings({"LINESIDE_HOME": str(tmp_path)})).arguments

    options = dict(zip(arguments[1::2], arguments[2::2], strict=True))
    assert options["--port"] == "0"
    assert options["--appendonly"] == "yes"
    assert options["--maxmemory-policy"] == "noeviction"
    assert options["--unixsocketperm"] == "700"


def test_a_log_that_grows_too_long_is_cut_while_its_process_writes_on(tmp_path: Path) -> None:
    with open_output(tmp_path, "web") as output:
        output.write(b"old " * 100)
        output.flush()

        keep_within_bounds(tmp_path, limit_bytes=100)
        output.write(b"new\n")

    assert (tmp_path / "web.log").read_bytes() == b"new\n"
    assert (tmp_path / "web.log.1").read_bytes() == b"old " * 100


def test_the_last_line_of_a_log_is_short_and_never_fails(tmp_path: Path) -> None:
    (tmp_path / "web.log").write_bytes(b"first\n" + b"\xff" * 10_000 + b"\n\n")

    assert 0 < len(last_line(tmp_path, "web")) <= 500
    assert last_line(tmp_path, "never-started") == ""
