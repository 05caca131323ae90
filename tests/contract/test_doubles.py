"""The practice doubles: books that last, one effect a key, and faults on request."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from app.demo.doubles import PracticeDouble

pytestmark = pytest.mark.enable_socket

ROOT = Path(__file__).parents[2]


class Caller:
    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=5)

    def __call__(self, method: str, path: str, body: Any = None, key: str = "", api_key: str = "k") -> tuple[int, Any]:
        headers = {"X-Api-Key": api_key, "Idempotency-Key": key, "X-Plant": "P100"}
        raw = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
        answer = self._pool.request(method, self._url + path, body=raw, headers=headers)
        return answer.status, answer.json()


@pytest.fixture
def double(tmp_path: Path) -> Iterator[PracticeDouble]:
    double = PracticeDouble("wms", tmp_path, "k").start()
    yield double
    double.stop()


@pytest.fixture
def call(double: PracticeDouble) -> Caller:
    return Caller(double.url)


def test_a_document_stands_once_under_its_key(call: Caller) -> None:
    first, second = call("POST", "/putaway.v1", {"a": 1}, "K1"), call("POST", "/putaway.v1", {"a": 1}, "K1")

    assert (first[0], second[0]) == (201, 200)
    assert first[1]["id"] == second[1]["id"] == "WMS-1"
    assert call("GET", "/counts")[1] == {"documents": {"P100": 1}, "reversals": {"P100": 0}}


def test_a_key_used_for_another_document_is_a_conflict(call: Caller) -> None:
    call("POST", "/putaway.v1", {"a": 1}, "K1")

    assert call("POST", "/putaway.v1", {"a": 2}, "K1")[0] == 409


def test_a_document_answers_to_its_key_and_to_its_id(call: Caller) -> None:
    call("POST", "/putaway.v1", {"a": 1}, "K1")

    assert call("GET", "/documents/K1") == call("GET", "/documents/WMS-1")
    assert call("GET", "/documents/K2")[0] == 404


def test_a_reversal_is_a_document_of_its_own_and_there_is_one(call: Caller) -> None:
    call("POST", "/putaway.v1", {"a": 1}, "K1")

    assert call("POST", "/documents/WMS-1/reversal", None, "R1")[0] == 201
    assert call("POST", "/documents/WMS-1/reversal", None, "R1")[0] == 200
    assert call("POST", "/documents/WMS-1/reversal", None, "R2")[0] == 409
    assert call("GET", "/documents/K1")[1]["reversed_by"] == call("GET", "/documents/R1")[1]["id"]
    assert call("GET", "/counts")[1]["reversals"] == {"P100": 1}


@pytest.mark.parametrize(
    ("method", "path", "body", "key", "api_key", "status"),
    [
        ("GET", "/health", None, "", "wrong", 401),
        ("POST", "/faults", None, "", "wrong", 401),
        ("POST", "/putaway.v1", {"a": 1}, "", "k", 400),
        ("POST", "/putaway.v1", b"{", "K1", "k", 400),
        ("POST", "/putaway.v1", b"[]", "K1", "k", 422),
        ("POST", "/documents/none/reversal", None, "R1", "k", 404),
        ("GET", "/nowhere/at/all", None, "", "k", 404),
        ("POST", "/faults", {"nxt": 1}, "", "k", 422),
        ("POST", "/faults", {"next": "1"}, "", "k", 422),
    ],
)
def test_bad_requests_are_answered_and_leave_the_books_alone(
    method: str, path: str, body: Any, key: str, api_key: str, status: int, call: Caller
) -> None:
    answer = call(method, path, body, key, api_key)

    assert answer[0] == status
    assert answer[1]["detail"]
    assert call("GET", "/counts")[1]["documents"] == {}


def test_faults_last_for_as_many_requests_as_asked(call: Caller) -> None:
    call("POST", "/faults", {"next": 2, "status": 503, "method": "POST"})

    statuses = [call("POST", "/putaway.v1", {"a": 1}, "K1")[0] for _ in range(3)]

    assert statuses == [503, 503, 201]


@pytest.mark.parametrize("fault", [{"drop_after_commit": True}, {"hang_seconds": 0.2}])
def test_a_dropped_answer_leaves_the_document_in_the_books(fault: dict[str, Any], call: Caller) -> None:
    call("POST", "/faults", {"next": 1, **fault})

    with pytest.raises(urllib3.exceptions.HTTPError):
        call("POST", "/putaway.v1", {"a": 1}, "K1")

    assert call("GET", "/documents/K1")[0] == 200


def test_the_books_last_through_a_restart(tmp_path: Path) -> None:
    before = PracticeDouble("mes", tmp_path, "k").start()
    Caller(before.url)("POST", "/order.v1", {"a": 1}, "K1")
    before.stop()

    after = PracticeDouble("mes", tmp_path, "k").start()
    try:
        assert Caller(after.url)("POST", "/order.v1", {"a": 1}, "K1")[0] == 200
    finally:
        after.stop()


def test_a_served_double_ends_cleanly_on_sigterm_even_while_it_hangs(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from app.demo.doubles import PracticeDouble, serve_until_signalled\n"
        "double = PracticeDouble('wms', Path(sys.argv[1]), 'k'); print(double.url, flush=True)\n"
        "serve_until_signalled(double)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    with process.stdout:
        call = Caller(process.stdout.readline().strip())
        call("POST", "/faults", {"next": 1, "hang_seconds": 60})
        with pytest.raises(urllib3.exceptions.HTTPError):
            urllib3.PoolManager(retries=False, timeout=0.2).request("GET", call._url + "/health")

        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)

        assert process.wait(timeout=10) == 0
        assert time.monotonic() - begin < 5
