"""An installation in one process for process calls: the API, a worker that works when it is nudged, and a target."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from flask.testing import FlaskClient

from app.adapters.base import PostingRequest, TargetAnswer
from app.pipeline.context import Pipeline
from app.projections.holds import HoldLine, Subject, enter_holds
from app.projections.ledger import Entry, enter
from app.projections.movements import Kind, Leg, Place
from app.projections.projector import project
from app.projections.stock_lists import list_items
from app.store.session import Store
from app.web.stock import told_items
from config.topology import ProcessRules, Route, RouteTarget, Topology
from tests.factories import NOON, demo_topology, know_items, pipeline, run_once
from tests.fakes import Books, Clock
from tests.web import key_for, web_app

TYPES = (
    "production.order.released.v1",
    "production.completed.v1",
    "material.issued.v1",
    "shipment.confirmed.v1",
    "replenishment.requested.v1",
    "inventory.reserved.v1",
    "inventory.reservation.ended.v1",
)
WHEEL, BIKE = "WHEEL-10", "BIKE-100"


def amount(value: str, uom: str = "EA") -> dict[str, str]:
    return {"value": value, "uom": uom}


class HangingBooks(Books):
    """Answers no posting before ``goes_on`` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = Event()
        self.is_asked = Event()

    def post(self, request: PostingRequest) -> TargetAnswer:
        self.is_asked.set()
        self.goes_on.wait(30)
        return super().post(request)


@dataclass
class Installation:
    """``works``: whether a nudge makes somebody work, as in a running installation."""

    store: Store
    client: FlaskClient
    line: Pipeline
    erp: Books
    key: dict[str, str]
    clock: Clock
    works: bool = True
    plants: list[tuple[str, int]] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    calls: int = 0
    _lock: Lock = field(default_factory=Lock)

    def nudge(self, plant: str, count: int) -> None:
        self.plants.append((plant, count))
        if self.works:
            self.threads.append(Thread(target=self.work, args=(plant,), daemon=True))
            self.threads[-1].start()

    def work(self, plant: str = "P100") -> None:
        with self._lock:
            run_once(self.line, plant)

    def rest(self) -> None:
        for thread in self.threads:
            thread.join(30)

    def call(self, process: str, body: Any, key: str | None = None, **options: Any) -> Any:
        """One call of a process; with a key of its own unless told."""
        self.calls += 1
        headers = {"Idempotency-Key": key or f"call-{self.calls}"} | self.key | options.pop("headers", {})
        query = {"plant": "P100"} | options.pop("query", {})
        return self.client.post(f"/v1/processes/{process}", json=body, headers=headers, query_string=query, **options)

    def enter(self) -> None:
        """Enter what took effect."""
        assert not project(self.store, self.clock, 30.0).goes_on

    def stock(self, *pieces: tuple[str, str, str], item: str = WHEEL) -> None:
        """So much unrestricted stock, each in a storage location and lot."""
        with self.store.writing() as session:
            entries = [
                Entry(9_000 + n, 0, 0, Leg(Place("P100", item, "EA", st, lot), Kind.ADJUSTED, Decimal(much)), NOON)
                for n, (much, st, lot) in enumerate(pieces)
            ]
            enter(session, entries, NOON)

    def hold(self, lot: str) -> None:
        with self.store.writing() as session:
            subject = Subject("P100", WHEEL, lot)
            enter_holds(session, [HoldLine(800, 0, 0, subject, "blocked", NOON, reason="crack")], NOON)

    def inventory(self, item: str = WHEEL) -> dict[str, Any]:
        with self.store.reading() as session:
            (told,) = told_items(session, list_items(session, "P100", item, 10))
        return told


def process_topology(**rules: Any) -> Topology:
    base = demo_topology()
    plants = {code: replace(plant, processes=ProcessRules(**rules)) for code, plant in base.plants.items()}
    return replace(base, plants=plants, routes=tuple(Route(kind, (RouteTarget("erp"),)) for kind in TYPES))


def installation(store: Store, home: Path, erp: Books | None = None, waiters: int = 4, **rules: Any) -> Installation:
    """Plant P100 with two items, an ERP, and a key of source ``mes``."""
    topology, clock, erp = process_topology(**rules), Clock(NOON), erp or Books()
    know_items(store)
    line = replace(pipeline(store, {"erp": erp}, clock), topology=topology)
    here = Installation(store, None, line, erp, key_for(store), clock)  # type: ignore[arg-type]
    environ = {"LINESIDE_PROCESS_WAITERS": str(waiters)}
    here.client = web_app(store, home, topology, here, clock, **environ).test_client()  # type: ignore[arg-type]
    return here


def released(order: str = "1000", needed: str | None = None, planned: str = "10") -> dict[str, Any]:
    body = {"order_id": order, "item": BIKE, "quantity": amount(planned)}
    return body | ({"materials": [{"item": WHEEL, "quantity": amount(needed)}]} if needed else {})


def issued(much: str, order: str = "1000", **line: Any) -> dict[str, Any]:
    return {"order_id": order, "components": [{"item": WHEEL, "quantity": amount(much), **line}]}


def completed(much: str, order: str = "1000", **more: Any) -> dict[str, Any]:
    return {"order_id": order, "outputs": [{"item": BIKE, "quantity": amount(much)}], **more}


def shipped(much: str, delivery: str = "D-1", item: str = WHEEL, **more: Any) -> dict[str, Any]:
    return {"delivery_id": delivery, "lines": [{"item": item, "quantity": amount(much)}], **more}
