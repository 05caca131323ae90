"""Two versions of a type live side by side: both are accepted and kept as they came, and read as the newest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.store.session import Store
from config.topology import Route, Topology
from config.topology_file import load_topology
from mappings.canonical import contract, inventory, registry, versions
from mappings.canonical.fields import Code
from mappings.context import Event, OutboundContext
from mappings.registry import OUTBOUND, OutboundMapping
from tests.interop.house import House, open_house

OLD, NEW = "inventory.moved.v1", "inventory.moved.v2"
MOVED = {
    "event_time": "2026-03-01T08:00:00Z",
    "item": "BIKE-100",
    "quantity": {"value": "3", "uom": "EA"},
    "from": {"storage": "P100-ST"},
    "to": {"storage": "P100-WIP"},
}


class MovedWithCarrier(inventory.SCHEMAS[OLD]):  # type: ignore[misc]
    """The second version says who carried it."""

    carrier = Code(required=True)


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any]:
    return {"type": event.type, "carrier": event.data["carrier"], "id": context.posting_key}


@pytest.fixture
def house(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setitem(registry.SCHEMAS, NEW, MovedWithCarrier)
    monkeypatch.setitem(versions.UPCASTS, OLD, (NEW, lambda data: {**data, "carrier": "nobody said"}))
    monkeypatch.setitem(OUTBOUND, ("wms", NEW), OutboundMapping(to_document))
    return open_house(store, tmp_path, routed_as_new())


def routed_as_new() -> Topology:
    packaged = load_topology(None)
    routes = tuple(
        Route(NEW, tuple(one for one in route.targets if one.target == "wms"), route.plants)
        if route.type == OLD
        else route
        for route in packaged.routes
    )
    return replace(packaged, routes=routes)


def test_both_versions_are_kept_as_they_came_and_posted_as_the_newest(house: House) -> None:
    old = house.event("mes-p100", "old", OLD, MOVED)
    new = house.event("mes-p100", "new", NEW, MOVED | {"carrier": "fork 7"})

    fates = [house.fate_of(answer) for answer in (old, new)]

    assert [fate.state for fate in fates] == ["posted", "posted"]
    assert {document["carrier"] for document in house.books["wms"].documents} == {"nobody said", "fork 7"}
    kept = house.events(old.get_json()["id"], new.get_json()["id"])
    assert [event["type"] for event in kept] == [OLD, NEW]
    assert "carrier" not in kept[0]["data"]


def test_each_version_is_checked_by_its_own_contract(house: House) -> None:
    of_the_next = house.event("mes-p100", "next", OLD, MOVED | {"carrier": "fork 7"})
    of_the_last = house.event("mes-p100", "last", NEW, MOVED)

    assert [answer.status_code for answer in (of_the_next, of_the_last)] == [422, 422]
    assert contract.is_canonical(OLD)


def test_a_client_is_told_as_which_version_a_type_is_read(house: House) -> None:
    answer = house.client.get("/v1/schemas").get_json()

    read_as = {row["type"]: row["read_as"] for row in answer["contracts"]}
    assert (read_as[OLD], read_as[NEW], read_as["item.changed.v1"]) == (NEW, NEW, "item.changed.v1")
