"""Postings that are under way at once go to a REST system in one call, and each has an outcome of its own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetAnswer, TargetSettings
from app.adapters.http_json import HttpJsonAdapter
from app.adapters.registry import option_faults
from app.errors import OutcomeUnknown, Refused, TargetPaused, Transient

pytestmark = [pytest.mark.slow, pytest.mark.enable_socket]

OPTIONS: dict[str, Any] = {
    "auth": {"scheme": "none"},
    "post": {"path": "/{kind}", "reference": "id"},
    "batch": {"path": "/batch", "results": "results", "result_key": "key", "status": "status", "reference": "id"},
    "find": {"path": "/documents/{posting_key}", "reference": "id"},
    "check": {"path": "/health"},
    "problem": "message",
}
Entries = list[dict[str, Any]]
Answer = tuple[int, Any]


@dataclass
class System:
    """What it was sent, and what it answers to a list, and to a look-up of a key. The first call is answered when
    ``go`` is set, so that whoever comes meanwhile waits together."""

    answer: Callable[[Entries], Answer]
    found: Callable[[str], Answer] = lambda key: (404, {})
    lists: list[Entries] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)


@contextmanager
def served(system: System) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            entries = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            system.lists.append(entries)
            system.headers.append(dict(self.headers))
            assert system.go.wait(10)
            self._say(*system.answer(entries))

        def do_GET(self) -> None:
            self._say(*system.found(self.path.rpartition("/")[2]))

        def _say(self, status: int, body: Any) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: Any) -> None:
            """A test reads what was sent, not what was logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        system.go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def request(number: int) -> PostingRequest:
    return PostingRequest(f"LSKEY{number}", "inventory.moved.v1", "P100", {"item": "WHEEL-10", "line": number})


def post_together(system: System, numbers: Sequence[int], **options: Any) -> list[Future[TargetAnswer]]:
    """One posting is under way alone, and the others gather behind it."""
    with served(system) as url, ThreadPoolExecutor(len(numbers)) as pool:
        settings = TargetSettings("wms", url, 10.0, {**OPTIONS, **options}, calls_in_flight=len(numbers))
        adapter = HttpJsonAdapter(settings)
        posted = [pool.submit(adapter.post, request(numbers[0]))]
        wait_for(lambda: len(system.lists) == 1)
        posted += [pool.submit(adapter.post, request(number)) for number in numbers[1:]]
        batches: Any = adapter._batches
        wait_for(lambda: len(batches._gathered._row) == len(numbers) - 1)
        system.go.set()
        for one in posted:
            one.exception(20)
    return posted


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def taken(entries: Entries) -> Answer:
    """In another order than they were sent."""
    results = [{"key": one["posting_key"], "status": 201, "id": f"D-{one['posting_key']}"} for one in entries]
    return 200, {"results": results[::-1]}


def test_what_is_under_way_at_once_goes_in_one_call_and_each_gets_its_own_reference() -> None:
    system = System(taken)

    posted = post_together(system, range(6))

    assert [len(entries) for entries in system.lists] == [1, 5]
    assert [one.result().reference for one in posted] == [f"D-LSKEY{number}" for number in range(6)]
    assert system.lists[0] == [
        {
            "posting_key": "LSKEY0",
            "kind": "inventory.moved.v1",
            "plant": "P100",
            "document": {"item": "WHEEL-10", "line": 0},
        }
    ]


def test_a_call_carries_no_more_than_the_topology_allows() -> None:
    system = System(taken)

    posted = post_together(system, range(8), batch={**OPTIONS["batch"], "at_most": 3})

    assert [len(entries) for entries in system.lists] == [1, 3, 3, 1]
    assert all(one.result().reference for one in posted)


def test_one_that_is_refused_costs_its_neighbours_nothing() -> None:
    def refuse_two(entries: Entries) -> Answer:
        status, body = taken(entries)
        for one in body["results"]:
            one |= {"status": 422, "message": "bin full"} if one["key"] == "LSKEY2" else {}
        return status, body

    posted = post_together(System(refuse_two), range(4))

    assert [isinstance(one.exception(), Refused) for one in posted] == [False, False, True, False]
    assert "target wms answered 422: bin full" in str(posted[2].exception())


def test_a_list_that_is_refused_as_a_whole_is_sent_again_one_by_one() -> None:
    def cannot_read_two(entries: Entries) -> Answer:
        keys = {one["posting_key"] for one in entries}
        return (400, {"message": "LSKEY2 is no document"}) if "LSKEY2" in keys else taken(entries)

    system = System(cannot_read_two)

    posted = post_together(system, range(4))

    assert [len(entries) for entries in system.lists] == [1, 3, 1, 1, 1]
    assert [isinstance(one.exception(), Refused) for one in posted] == [False, False, True, False]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((503, {}), Transient),
        ((500, {}), OutcomeUnknown),
        ((401, {}), TargetPaused),
        ((200, "done"), OutcomeUnknown),
        ((200, {"results": {"LSKEY1": 201}}), OutcomeUnknown),
        ((200, {"results": ["taken", None]}), OutcomeUnknown),
        ((200, {"results": []}), OutcomeUnknown),
    ],
)
def test_an_answer_that_proves_nothing_is_each_ones_own_trouble(answer: Answer, error: type[Exception]) -> None:
    def trouble_for_many(entries: Entries) -> Answer:
        return answer if len(entries) > 1 else taken(entries)

    posted = post_together(System(trouble_for_many), range(3))

    assert posted[0].result().reference == "D-LSKEY0"
    assert [type(one.exception()) for one in posted[1:]] == [error] * 2


def test_one_of_which_the_answer_tells_nothing_is_unknown_and_its_neighbours_are_not() -> None:
    def forget_two(entries: Entries) -> Answer:
        status, body = taken(entries)
        return status, {"results": [one for one in body["results"] if one["key"] != "LSKEY2"]}

    posted = post_together(System(forget_two), range(4))

    assert [type(one.exception()) for one in posted] == [type(None), type(None), OutcomeUnknown, type(None)]


def test_one_that_is_there_already_is_looked_up() -> None:
    def known(entries: Entries) -> Answer:
        return 200, {"results": [{"key": one["posting_key"], "status": 409} for one in entries]}

    posted = post_together(System(known, lambda key: (200, {"id": f"EARLIER-{key}"})), range(2))

    assert [one.result().reference for one in posted] == ["EARLIER-LSKEY0", "EARLIER-LSKEY1"]


def test_results_without_a_key_are_in_the_order_of_the_entries() -> None:
    def in_order(entries: Entries) -> Answer:
        return 200, [{"no": one["doc"]["line"] + 100} for one in entries]

    batch = {"path": "/batch", "entry": {"posting_key": "ref", "document": "doc"}, "reference": "no"}
    system = System(in_order)

    posted = post_together(system, range(3), batch=batch)

    assert [one.result().reference for one in posted] == ["100", "101", "102"]
    assert {tuple(one) for one in system.lists[1]} == {("ref", "kind", "plant", "doc")}


def test_as_many_results_as_entries_or_nothing_is_proved() -> None:
    posted = post_together(System(lambda entries: (200, [{"id": 1}] * 2)), range(4), batch={"path": "/batch"})

    assert [type(one.exception()) for one in posted] == [OutcomeUnknown] * 4


@pytest.mark.parametrize("status", ["done", True, 700, None, {}])
def test_a_status_that_is_none_proves_nothing(status: Any) -> None:
    def odd(entries: Entries) -> Answer:
        return 200, {"results": [{"key": one["posting_key"], "status": status, "id": 1} for one in entries]}

    posted = post_together(System(odd), range(2))

    assert [type(one.exception()) for one in posted] == [OutcomeUnknown] * 2


def test_the_topology_tells_what_is_wrong_with_a_batch() -> None:
    faults = option_faults("http_json", {**OPTIONS, "batch": {"path": "batch", "at_most": 1, "keys": "x"}})

    assert {fault.path for fault in faults} >= {("batch", "path"), ("batch", "at_most"), ("batch", "keys")}
