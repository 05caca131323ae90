"""A real Tryton for tests: built once into pytest's cache, copied and served for the whole run.

``from tests.tryton_server import tryton_server`` in a test module gives the fixture; all modules share one server, so a
test looks at what it changed and not at totals.
"""

from __future__ import annotations

import atexit
import base64
import functools
import secrets
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.adapters.base import PostingRequest, TargetSettings
from app.adapters.bounded_http import BoundedHttp
from app.adapters.tryton import TrytonAdapter
from app.adapters.tryton_documents import with_key
from app.adapters.tryton_rest import TrytonRest
from app.demo import erp
from app.demo.erp_processes import is_installed
from app.errors import Transient
from mappings.canonical import contract
from mappings.context import Event, OutboundContext, PlantFacts
from mappings.registry import OUTBOUND
from tests.services import missing_service

START_SECONDS = 60.0


_STOCK = """
    SELECT place.code, product.code, lot.number, sum(part.quantity) AS total
    FROM (
        SELECT to_location AS place, product, lot, internal_quantity AS quantity FROM stock_move WHERE state = 'done'
        UNION ALL
        SELECT from_location, product, lot, -internal_quantity FROM stock_move WHERE state = 'done'
    ) AS part
    JOIN stock_location AS place ON place.id = part.place AND place.type = 'storage'
    JOIN product_product AS product ON product.id = part.product
    LEFT JOIN stock_lot AS lot ON lot.id = part.lot
    GROUP BY 1, 2, 3 HAVING abs(total) > 0.000001
"""


@dataclass(frozen=True)
class TrytonServer:
    """``stock`` and ``on_hand`` read Tryton's database itself, so that they can contradict the adapter."""

    url: str
    key: str = field(repr=False)
    database: Path

    def adapter(
        self, url: str | None = None, key: str | None = None, timeout_seconds: float = 120.0, **options: Any
    ) -> TrytonAdapter:
        return TrytonAdapter(TargetSettings("erp", url or self.url, timeout_seconds, options, key or self.key))

    @property
    def rest(self) -> TrytonRest:
        return TrytonRest(self.url, self.key, BoundedHttp(40.0, 1))

    def stock(self) -> dict[tuple[str, str, str | None], Decimal]:
        """What lies in each storage location by item and lot, added up from Tryton's own table of moves."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as connection:
            found = connection.execute(_STOCK).fetchall()
        return {(place, item, lot): Decimal(str(round(total, 6))) for place, item, lot, total in found}

    def on_hand(self, item: str, storage: str) -> Decimal:
        """All of an item in one location, in its base unit."""
        stock = self.stock()
        return sum((total for (place, code, _), total in stock.items() if (place, code) == (storage, item)), Decimal(0))

    def states(self, model: str, posting_key: str) -> list[str]:
        """The states of every document with this key, strays included."""
        return [found["state"] for found in self.rest.search(model, with_key(posting_key), ["state"])]


@pytest.fixture(scope="session")
def tryton_server(request: pytest.FixtureRequest) -> TrytonServer:
    if not is_installed():
        missing_service("Tryton", "this Python (pip install 'lineside[tryton]')")
    return _running(request.config.cache.mkdir("tryton"))


@functools.cache
def _running(cache: Path) -> TrytonServer:
    home = Path(tempfile.mkdtemp(prefix="lineside-tryton-"))
    database = home / "lineside.sqlite"
    shutil.copyfile(erp.build_erp(cache, lambda share, doing: None), database)
    key = erp.issue_key(database)
    port = _free_port()
    command, environment = erp.serve_command(database, port)
    with (home / "server.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    atexit.register(_stop, process, home)
    server = TrytonServer(f"http://127.0.0.1:{port}/lineside", key, database)
    _wait_until_it_answers(server, process)
    return server


def _wait_until_it_answers(server: TrytonServer, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < until:
        try:
            return server.adapter().check()
        except Transient:
            time.sleep(0.1)
    pytest.fail(f"Tryton did not start: {(server.database.parent / 'server.log').read_text()[-2000:]}")


def _stop(process: subprocess.Popen[bytes], home: Path) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(home, ignore_errors=True)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def new_key() -> str:
    return "LS" + base64.b32encode(secrets.token_bytes(20)).decode()[:24]


def amount(value: object, uom: str = "EA") -> dict[str, str]:
    return {"value": str(value), "uom": uom}


def posting(kind: str, data: dict[str, Any], plant: str = "P100", **options: Any) -> PostingRequest:
    """The request that the pipeline would make of this event, under a key of its own."""
    facts = PlantFacts(plant, plant, "Europe/Berlin", {"storage": f"{plant}-ST"})
    key = new_key()
    event = Event(kind, contract.validate(kind, {"event_time": "2026-01-01T08:00:00Z", **data}))
    document = OUTBOUND["tryton", kind].to_document(event, OutboundContext(facts, "erp", key, {}, options))
    assert document is not None
    return PostingRequest(key, kind, plant, document)


def completion(quantity: object = 2, item: str = "BIKE-100", **line: Any) -> PostingRequest:
    outputs = [{"item": item, "quantity": amount(quantity), **line}]
    return posting("production.completed.v1", {"order_id": "1000123", "outputs": outputs})


def scrap(quantity: object = 1, item: str = "BIKE-100", **more: Any) -> PostingRequest:
    data = {"order_id": "1000123", "item": item, "quantity": amount(quantity), "reason": "scratched", **more}
    return posting("production.scrapped.v1", data)


def issue(*components: dict[str, Any], **options: Any) -> PostingRequest:
    given = components or ({"item": "WHEEL-10", "lot": "W-OPEN", "quantity": amount(2, "BOX")},)
    return posting("material.issued.v1", {"order_id": "1000123", "components": list(given)}, **options)


def movement(quantity: object = 3, item: str = "WHEEL-10", **ends: Any) -> PostingRequest:
    data = {"item": item, "quantity": amount(quantity), "from": {"storage": "P100-ST"}, "to": {"storage": "P100-OUT"}}
    return posting("inventory.moved.v1", data | ends)


def receipt(order: str = "451000001", received: int = 5, accepted: int = 5, rejected: int = 0) -> PostingRequest:
    data = {
        "document_ref": {"type": "purchase_order", "id": order, "line": "3"},
        "item": "TUBE-1",
        "received": amount(received),
        "accepted": amount(accepted),
        "rejected": amount(rejected),
    }
    return posting("receipt.recorded.v1", data)


EVERY_KIND = {
    "completion": completion,
    "scrap": scrap,
    "issue_to_the_line": issue,
    "issue_as_consumption": functools.partial(issue, consume="none"),
    "movement": movement,
    "movement_between_plants": functools.partial(movement, to={"site": "P200"}),
    "receipt": receipt,
    "receipt_with_rejects": functools.partial(receipt, received=9, accepted=4, rejected=3),
}
