"""Messages, topologies and pipelines for tests, each with only what the test does not care about filled in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.adapters.base import Adapter
from app.inbox.accept import Incoming, accept_messages
from app.pipeline.context import Pipeline
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.straight_on import transform_straight_on
from app.projections.items import save_items
from app.store.session import Store
from config.topology import Plant, RetryPolicy, Route, RouteTarget, Source, SystemOfRecord, Target, Topology
from tests.fakes import Clock

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def demo_topology(
    targets: Sequence[str] = ("erp",),
    optional: Sequence[str] = (),
    wait_seconds: float = 3_600.0,
    give_up_seconds: float = 3_600.0,
) -> Topology:
    """Plants P100 and P200, one source ``mes`` that sends canonical events, and ``targets`` for each routed type."""
    retry = RetryPolicy(base_seconds=1, cap_seconds=60, give_up_seconds=give_up_seconds)
    route = tuple(RouteTarget(code, code not in optional) for code in targets)
    types = (
        "production.order.released.v1",
        "production.completed.v1",
        "production.scrapped.v1",
        "inventory.moved.v1",
    )
    return Topology(
        plants={code: Plant(code, code, "Europe/Berlin", lanes=4) for code in ("P100", "P200", "P300")},
        sources={"mes": Source("mes", "MES", ("P100", "P200"), "canonical", wait_seconds=wait_seconds)},
        targets={
            code: Target(code, "ERP", "fake", "echo", timeout_seconds=5, calls_in_flight=4, retry=retry)
            for code in targets
        },
        routes=tuple(Route(kind, route) for kind in types),
        systems_of_record={"items": SystemOfRecord("items", "erp")},
    )


def pipeline(store: Store, adapters: Mapping[str, Adapter], clock: Clock | None = None, **topology: Any) -> Pipeline:
    """A pipeline over these targets, in the order given, whose waits are the longest they may be."""
    return Pipeline(
        store,
        demo_topology(targets=tuple(adapters), **topology),
        lambda code: adapters[code],
        "test-worker",
        lease_seconds=60,
        clock=clock or Clock(NOON),
        jitter=lambda low, high: high,
    )


def incoming(message_id: str, kind: str, data: Mapping[str, Any], **fields: Any) -> Incoming:
    body = json.dumps(data).encode()
    values: dict[str, Any] = {
        "plant": "P100",
        "source": "mes",
        "source_message_id": message_id,
        "type": kind,
        "content_type": "application/json",
        "body": body,
        "digest": hashlib.sha256(body).hexdigest(),
    }
    return Incoming(**(values | fields))


def release(message_id: str = "r1", order: str = "1000", at: str = "2026-03-02T08:00:00Z", **fields: Any) -> Incoming:
    data = {
        "event_time": at,
        "order_id": order,
        "item": "BIKE-100",
        "quantity": {"value": "10", "uom": "EA"},
        "start": "2026-03-02T08:00:00Z",
        "end": "2026-03-02T16:00:00Z",
    }
    return incoming(message_id, "production.order.released.v1", data, **fields)


def completion(
    message_id: str = "c1",
    order: str = "1000",
    at: str = "2026-03-02T09:00:00Z",
    quantity: str = "4",
    item: str = "BIKE-100",
    uom: str = "EA",
    **fields: Any,
) -> Incoming:
    data = {
        "event_time": at,
        "order_id": order,
        "outputs": [{"item": item, "quantity": {"value": quantity, "uom": uom}}],
        "final": False,
    }
    return incoming(message_id, "production.completed.v1", data, **fields)


def move_event(
    message_id: str = "m1", lot: str | None = None, at: str = "2026-03-02T09:00:00Z", **fields: Any
) -> Incoming:
    data = {
        "event_time": at,
        "item": "WHEEL-10",
        "quantity": {"value": "2", "uom": "EA"},
        "from": {"storage": "P100-ST"},
        "to": {"storage": "P100-WIP"},
    }
    return incoming(message_id, "inventory.moved.v1", data | ({"lot": lot} if lot else {}), **fields)


def know_items(store: Store, *codes: str) -> None:
    items = [
        {"code": code, "description": code.title(), "base_uom": "EA", "units": {"BOX": "10"}}
        for code in codes or ("BIKE-100", "WHEEL-10")
    ]
    with store.writing() as session:
        save_items(session, items, "erp", NOON)


def accept(store: Store, *messages: Incoming, at: datetime = NOON) -> list[int]:
    """Accept these and return their ids."""
    with store.writing() as session:
        return [answer.id for answer in accept_messages(session, messages, at)]


def run_once(pipeline: Pipeline, plant: str = "P100", up_to: int = 100) -> list[int]:
    """One permit's worth of work: transform, enrich, post; returns what was posted."""
    transform_straight_on(pipeline, plant, up_to)
    enrich_due(pipeline, plant, up_to)
    return post_due(pipeline, plant, up_to)
