"""Take a day of messages through the product's own steps, in this process and by a clock of its own: accepted,
transformed, enriched, posted, entered into the projections, and weighed where they died."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.adapters.base import Document, PostingRequest, TargetAnswer
from app.bench.plant_day import REFUSED_STORAGE, Day, Made
from app.bench.plant_names import BEGIN, GROUPS, ITEMS_A_GROUP, PLANTS, Words, dock, plant_of_order
from app.business_exceptions.raising import Cause, ValueAtRisk, raise_exceptions
from app.dead_letters.weighing import weigh_portion
from app.errors import Refused
from app.inbox.accept import Incoming, accept_messages
from app.inbox.lanes import ensure_lanes
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from app.processes.accepting import take_call
from app.processes.checks import Call
from app.processes.reserving import RESERVED
from app.projections.items import save_items
from app.projections.measuring import Yardstick
from app.projections.projector import project
from app.store.counts import fold_changes
from app.store.messages_tables import StateChange
from app.store.session import Store
from config.topology import Topology
from config.topology_file import load_topology
from mappings.context import Event

SOURCE, TARGET = "mes", "wms"
PORTION = 2_500
PROJECT_SECONDS = 5.0
ROUNDS_MOST = 1_000
RESERVATIONS_A_TENTH = 10
EXCEPTIONS_A_TENTH = 10
Advance = Callable[[float], None]

_TOPOLOGY = """
version: 1
plants:
{plants}
sources:
  - {{code: mes, kind: MES, plants: [{codes}], mapping: canonical, wait_seconds: 31536000}}
targets:
  - code: wms
    kind: WMS
    adapter: http_json
    mapping: wms
    url: http://127.0.0.1:9
    options:
      auth: {{scheme: none}}
      idempotency_header: X-Posting-Key
      post: {{method: POST, path: "/{{kind}}", reference: id}}
      find: {{method: GET, path: "/documents/{{posting_key}}", reference: id, absent_status: [404]}}
      check: {{method: GET, path: "/health"}}
routes:
  - {{type: production.completed.v1, targets: [{{target: wms}}]}}
  - {{type: material.issued.v1, targets: [{{target: wms}}]}}
  - {{type: inventory.moved.v1, targets: [{{target: wms}}]}}
  - {{type: receipt.recorded.v1, targets: [{{target: wms}}]}}
  - {{type: shipment.confirmed.v1, targets: [{{target: wms}}]}}
systems_of_record:
  items: {{system: mes}}
service_levels: {{accept_to_posted_seconds: 60}}
"""
_PLANT = "  - {{code: {code}, name: {code}, timezone: Europe/Berlin, lanes: 8, options: {{receiving: [{dock}]}}}}"


def write_topology(path: Path) -> Topology:
    """Three plants, their MES and a WMS; nothing is ever called at its address."""
    plants = "\n".join(_PLANT.format(code=code, dock=dock(code)) for code in PLANTS)
    path.write_text(_TOPOLOGY.format(plants=plants, codes=", ".join(PLANTS)), encoding="utf-8")
    return load_topology(path)


class Clock:
    """It stands at the messages' own time."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class Warehouse:
    """A WMS that takes everything but what is put where it is full."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        if f"-{REFUSED_STORAGE}" in json.dumps(request.document):
            raise Refused("bin_full", "The bin takes no more of this item.")
        return TargetAnswer(f"W-{request.posting_key}")

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        return None

    def reverse(self, request: PostingRequest, reference: str) -> TargetAnswer:
        raise Refused("not_here", "Nothing is reversed here.")

    def read(self, domain: str, since: datetime | None = None) -> Iterator[Document]:
        return iter(())

    def check(self) -> None:
        """It is always there."""


def prepare(store: Store, topology: Topology) -> None:
    """What is there before the first day: lanes and items."""
    codes = [Words(group).item(number) for group in range(GROUPS) for number in range(ITEMS_A_GROUP)]
    told = [{"code": code, "description": f"Item {code}", "base_uom": "EA", "units": {}} for code in codes]
    with store.writing() as session:
        ensure_lanes(session, [(plant.code, plant.lanes) for plant in topology.plants.values()])
        save_items(session, told, SOURCE, BEGIN)


class Plants:
    """The three plants' messages on their way through one database."""

    def __init__(self, store: Store, topology: Topology) -> None:
        self.store, self.topology = store, topology
        self.clock = Clock(BEGIN)
        warehouse = Warehouse()
        self.pipeline = Pipeline(store, topology, lambda _: warehouse, "bench", clock=self.clock)
        self.yardstick = Yardstick.of(topology)

    def post_day(self, day: int, orders: int, advance: Advance, upto: int | None = None) -> int:
        """Accept and post the day's messages, or the first ``upto`` of them; returns how many."""
        made = list(Day(day, orders).messages())[:upto]
        for start in range(0, len(made), PORTION):
            portion = made[start : start + PORTION]
            self.accept(portion)
            self.work()
            advance((start + len(portion)) / len(made))
        return len(made)

    def accept(self, made: Sequence[Made]) -> None:
        self.clock.now = made[-1].at + timedelta(seconds=2)
        with self.store.writing() as session:
            accept_messages(session, [_incoming(one) for one in made], self.clock())

    def work(self) -> None:
        """Until nothing is due in any plant."""
        for _ in range(ROUNDS_MOST):
            steps = (step(self.pipeline, plant, PORTION) for plant in PLANTS for step in _STEPS)
            if not any([*steps]):
                return
            self.clock.now += timedelta(milliseconds=100)
        raise RuntimeError("The bench's messages do not come to rest.")

    def enter(self) -> None:
        """All that took effect, into the projections."""
        while project(self.store, self.clock, PROJECT_SECONDS, self.yardstick).goes_on:
            pass

    def end_day(self, day: int, orders: int) -> None:
        """What people and rules add to it: reservations, exceptions, weighed dead letters, folded counts."""
        words = Words(day)
        for number in range(orders * RESERVATIONS_A_TENTH // 100):
            self._reserve(words, number * 10)
        self.work()
        self.enter()
        with self.store.writing() as session:
            raise_exceptions(session, list(_causes(words, orders * EXCEPTIONS_A_TENTH // 100)), self.clock())
        self.enter()
        while weigh_portion(self.store, self.clock(), new=True).letters:
            pass
        with self.store.writing() as session:
            while session.scalars(select(StateChange.id).limit(1)).first() is not None:
                fold_changes(session)

    def _reserve(self, words: Words, number: int) -> None:
        """Of what waits at the dock."""
        code, plant = f"RS-{words.tag}{number:04d}", plant_of_order(number)
        self.clock.now += timedelta(milliseconds=200)
        lot = words.lot(2 * number)
        data: dict[str, Any] = {
            "event_time": _text(self.clock.now),
            "reservation_id": code,
            "item": Day(words.day).bought_item(number),
        }
        data |= {"quantity": {"value": "1", "uom": "EA"}, "lot": lot, "location": {"storage": dock(plant)}}
        data |= {"delivery_id": words.delivery(number)}
        call = Call(plant, Event(RESERVED, data), self.topology.sources[SOURCE], self.topology)
        take_call(
            self.store,
            call,
            _incoming(Made(code, plant, RESERVED, data, self.clock.now)),
            "reserve",
            "bench",
            self.clock(),
        )


_STEPS = (transform_due, enrich_due, post_due)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _incoming(one: Made) -> Incoming:
    body = json.dumps(one.data, separators=(",", ":")).encode()
    digest = hashlib.sha256(body).hexdigest()
    return Incoming(one.plant, SOURCE, one.id, one.type, "application/json", body, digest)


def _causes(words: Words, number: int) -> Iterator[Cause]:
    for n in range(number):
        order, plant = words.order(4 * n), plant_of_order(4 * n)
        yield Cause(
            "delayed_confirmation",
            f"delayed_confirmation:{plant}:{order}",
            f"Order {order}",
            "warning",
            f"Order {order} is not confirmed.",
            plant=plant,
            object_type="production_order",
            object_id=order,
            value_at_risk=ValueAtRisk(Decimal("150"), "EUR"),
        )
