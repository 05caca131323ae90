"""All of Lineside in one process, with the packaged topology and mappings: only the targets are books."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from app.access.keys import create_key
from app.demo.catalogue import ITEMS
from app.factory import create_app
from app.inbox.lanes import ensure_lanes
from app.intake.context import Intake
from app.intake.watcher import Watcher, watcher_for
from app.pipeline.context import Pipeline
from app.projections.items import save_items
from app.store.documents import CANONICAL, load_documents, load_payloads
from app.store.messages_tables import Message
from app.store.session import Store
from config.settings import Settings, load_settings
from config.topology import Topology
from config.topology_file import load_topology
from tests.factories import NOON, run_once
from tests.fakes import Books, Clock

CLOUD_EVENT = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
ROWS_OVER_HTTP = "rows-p300"


@dataclass
class Quiet:
    """Counts nudges instead of sending permits; the tests give the permits themselves."""

    nudged: Counter[str] = field(default_factory=Counter)

    def nudge(self, plant: str, count: int) -> None:
        self.nudged[plant] += count


@dataclass
class Fate:
    """What an operator sees of a message."""

    state: str
    code: str | None
    reason: str
    field: str | None


@dataclass
class House:
    store: Store
    topology: Topology
    settings: Settings
    client: FlaskClient
    keys: Mapping[str, str]
    pipeline: Pipeline
    watcher: Watcher
    clock: Clock
    books: Mapping[str, Books]
    nudges: Quiet

    def post(self, source: str, body: bytes, headers: Mapping[str, str] | None = None, /, **query: str) -> TestResponse:
        """A request with the source's key, otherwise as given."""
        named = {"Authorization": f"Bearer {self.keys[source]}"} | dict(headers or {})
        return self.client.post("/v1/messages", data=body, headers=named, query_string=query)

    def send(
        self, source: str, message_id: str, kind: str, body: bytes | Any, content_type: str = "application/json"
    ) -> TestResponse:
        """A vendor's own payload; anything but bytes is sent as JSON."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.post(source, data, {"Idempotency-Key": message_id, "Content-Type": content_type}, type=kind)

    def event(self, source: str, message_id: str, kind: str, data: Any, plant: str = "P100") -> TestResponse:
        """One structured CloudEvent."""
        event = {"specversion": "1.0", "id": message_id, "source": source, "type": kind, "plant": plant, "data": data}
        return self.post(source, json.dumps(event).encode(), {"Content-Type": CLOUD_EVENT})

    def release(self, plant: str, order: str, item: str = "BIKE-100", uom: str = "EA") -> None:
        """The ERP releases an order, and it takes effect."""
        data = {
            "event_time": "2026-03-01T06:00:00Z",
            "order_id": order,
            "item": item,
            "quantity": {"value": "1000", "uom": uom},
        }
        answer = self.event("erp", f"release-{plant}-{order}", "production.order.released.v1", data, plant)
        assert answer.status_code == 202, answer.text
        self.run()

    def drop(self, source: str, name: str, content: bytes | str) -> None:
        """Put a file into the source's folder that has long been unchanged, and look once."""
        folder = self.settings.drop_dir / source / "in"
        path = folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (time.time() - 60, time.time() - 60))
        self.watcher.look()

    def dropped(self, source: str, folder: str, name: str) -> str:
        return (self.settings.drop_dir / source / folder / name).read_text(encoding="utf-8")

    def run(self) -> None:
        """Two permits' worth of work a plant: the second for what the first one woke."""
        for plant in self.topology.plants:
            for _ in range(2):
                run_once(self.pipeline, plant, up_to=5_000)

    def fate(self, message_id: int) -> Fate:
        with self.store.reading() as session:
            found = session.get_one(Message, message_id)
            return Fate(found.state, found.reason_code, found.reason or "", found.reason_field)

    def fate_of(self, answer: TestResponse) -> Fate:
        """Work on everything, then tell what became of the message that was answered with 202."""
        assert answer.status_code == 202, answer.text
        self.run()
        return self.fate(answer.get_json()["id"])

    def fates(self) -> list[Fate]:
        with self.store.reading() as session:
            ids = list(session.execute(select(Message.id).order_by(Message.id)).scalars())
        return [self.fate(message_id) for message_id in ids]

    def kept(self, message_id: int) -> bytes:
        with self.store.reading() as session:
            return load_payloads(session, [message_id])[message_id].body

    def events(self, *message_ids: int) -> list[Mapping[str, Any]]:
        with self.store.reading() as session:
            return [event for body in load_documents(session, message_ids, CANONICAL).values() for event in body]


def open_house(store: Store, home: Path, topology: Topology | None = None, now: datetime = NOON) -> House:
    """Everything over this database; the demonstration's items are known, each source has a key."""
    topology = topology or _topology()
    settings = load_settings({"LINESIDE_HOME": str(home), "LINESIDE_SECRET_KEY": "k" * 40})
    clock, books, nudges = Clock(now), {code: Books() for code in topology.targets}, Quiet()
    with store.writing() as session:
        ensure_lanes(session, [(plant.code, plant.lanes) for plant in topology.plants.values()])
        keys = {code: create_key(session, "test", code, [], now)[0] for code in topology.sources}
    know_items(store, ((item.code, item.base_uom, item.units) for item in ITEMS), now)
    app = create_app(settings, topology, store, nudges, clock)
    pipeline = Pipeline(store, topology, lambda code: books[code], "test-worker", clock=clock)
    watcher = watcher_for(settings, topology, Intake(store, nudges.nudge, clock))
    return House(store, topology, settings, app.test_client(), keys, pipeline, watcher, clock, books, nudges)


@cache
def _topology() -> Topology:
    """The packaged one, with a source beside its own that sends over HTTP what ``legacy-p300`` drops as rows: so a row
    can be anything at all. Its files need no trailer here: ``flow/test_files_add_up.py`` is about those."""
    packaged = load_topology(None)
    legacy = packaged.sources["legacy-p300"]
    plain = [{key: value for key, value in kind.options.items() if key != "trailer"} for kind in legacy.files]
    files = tuple(replace(kind, options=options) for kind, options in zip(legacy.files, plain, strict=True))
    rows = replace(legacy, code=ROWS_OVER_HTTP, intake="http", files=())
    sources = {**packaged.sources, legacy.code: replace(legacy, files=files), ROWS_OVER_HTTP: rows}
    return replace(packaged, sources=sources)


def know_items(store: Store, items: Iterable[tuple[str, str, Mapping[str, Any]]], now: datetime = NOON) -> None:
    rows = [{"code": code, "description": code, "base_uom": uom, "units": units} for code, uom, units in items]
    with store.writing() as session:
        save_items(session, rows, "erp", now)
