"""A lot's history as an EPCIS document: valid, the same when read back, with its gaps named, page by page."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from app.access.roles import Role
from app.cli import main
from app.postings.plan import posting_key
from app.projections.lot_trace import Direction
from app.projections.projector import project
from app.retention.rounds import Retention, retain
from app.store.session import Store
from app.web.lot_epcis import Asked, lot_document
from app.web.problems import Problem
from config.topology import Target, Topology
from mappings.canonical import contract
from mappings.context import Deviations, Event, InboundContext, PlantFacts
from mappings.formats import epcis
from mappings.inbound.epcis.document import to_canonical
from tests.factories import NOON, accept, demo_topology, incoming, know_items, pipeline, release, run_once
from tests.fakes import Books, Clock
from tests.interop.test_epcis_schema import faults
from tests.web import account_for, web_app

pytestmark = pytest.mark.slow

AT = "2026-03-02T09:00:00Z"
ITEMS = {"BIKE-100": "04012345222227", "WHEEL-10": "04012345111118", "RIM-1": "4012345333336"}
PLACES = {"P100-ST": "4012345000023", "P100-WIP": "4012345000016"}
UNTOLD = "SPOKE-1"
"""An item without a GTIN."""


def _line(item: str, lot: str, amount: str) -> dict[str, Any]:
    return {"item": item, "lot": lot, "quantity": {"value": amount, "uom": "EA"}}


def _event(message_id: str, kind: str, **data: Any) -> Any:
    return incoming(message_id, kind, {"event_time": AT, **data})


def _received(message_id: str, item: str, lot: str, amount: str) -> Any:
    amounts = {name: {"value": value, "uom": "EA"} for name, value in (("received", amount), ("accepted", amount))}
    amounts |= {"rejected": {"value": "0", "uom": "EA"}}
    document = {"type": "purchase_order", "id": "4500001", "line": "10"}
    return _event(message_id, "receipt.recorded.v1", document_ref=document, item=item, lot=lot, **amounts)


HISTORY = [
    _received("g1", "RIM-1", "R1", "10"),
    _received("g2", UNTOLD, "S1", "300"),
    _event("i1", "material.issued.v1", order_id="W1", components=[_line("RIM-1", "R1", "4")]),
    _event("i2", "material.issued.v1", order_id="W1", components=[_line(UNTOLD, "S1", "128")]),
    _event("c1", "production.completed.v1", order_id="W1", final=False, outputs=[_line("WHEEL-10", "W-A", "4")]),
    _event("h1", "quality.held.v1", item="WHEEL-10", lot="W-A", status="blocked", reason="crack"),
    _event("q1", "quality.released.v1", item="WHEEL-10", lot="W-A", status="unrestricted"),
    incoming(
        "m1",
        "inventory.moved.v1",
        {
            "event_time": AT,
            **_line("WHEEL-10", "W-A", "4"),
            "from": {"storage": "P100-ST"},
            "to": {"storage": "P100-WIP"},
        },
    ),
    _event("i3", "material.issued.v1", order_id="B1", components=[_line("WHEEL-10", "W-A", "2")]),
    _event("c2", "production.completed.v1", order_id="B1", final=False, outputs=[_line("BIKE-100", "B-A", "1")]),
    _event(
        "s1",
        "shipment.confirmed.v1",
        delivery_id="D-77",
        packages=[{"sscc": "340123450000000017", "lines": [_line("BIKE-100", "B-A", "1")]}],
    ),
]
TOLD = [one for one in HISTORY if one.source_message_id not in ("g2", "i2")]


def _topology() -> Topology:
    known = demo_topology()
    options = {"items": ITEMS, "places": PLACES, "units": {"KG": "KGM"}}
    repository = Target("repository", "EPCIS", "fake", "epcis", mapping_options=options)
    return replace(known, targets={**known.targets, "repository": repository})


@pytest.fixture
def happened(sqlite_store: Store) -> Store:
    return _happen(sqlite_store)


def _happen(store: Store) -> Store:
    know_items(store, *ITEMS, UNTOLD)
    line = pipeline(store, {"erp": Books()}, Clock(NOON))
    for portion in ([release("r1", "W1"), release("r2", "B1")], HISTORY, [_received("other", "RIM-1", "R2", "5")]):
        accept(store, *portion)
        for _ in range(3):
            run_once(line)
    assert not project(store, lambda: NOON, 30.0).goes_on
    return store


def _document(store: Store, item: str, lot: str, **asked: Any) -> dict[str, Any]:
    text = "".join(lot_document(store, _topology(), Asked(item, lot, **asked), NOON))
    document: dict[str, Any] = json.loads(text)
    return document


def _read_back(document: dict[str, Any]) -> list[Event]:
    turned = {
        "items": {gtin: item for item, gtin in ITEMS.items()},
        "places": {gln: {"storage": storage} for storage, gln in PLACES.items()},
    }
    deviations = Deviations(strict=True)
    plant = PlantFacts("P100", "P100", "Europe/Berlin", {})
    context = InboundContext(plant, "epcis", "m", datetime(2026, 3, 3, tzinfo=UTC), {}, turned, deviations)
    events = to_canonical(epcis.read(json.dumps(document).encode(), deviations), context)
    return [Event(one.type, contract.validate(one.type, one.data)) for one in events]


def _amounts(events: list[Event]) -> Counter[tuple[str, str, str]]:
    found: Counter[tuple[str, str, str]] = Counter()
    for event in events:
        for one in contract.quantities(event):
            found[event.type, one.place.rpartition(".")[2], one.item] += one.quantity.value  # type: ignore[assignment]
    return +found


def _sent() -> list[Event]:
    return [Event(one.type, contract.validate(one.type, json.loads(one.body))) for one in TOLD]


def test_a_lots_history_is_valid_by_the_schema_of_gs1_page_by_page(happened: Store) -> None:
    assert faults(_document(happened, "WHEEL-10", "W-A")) == []
    assert faults(_document(happened, "WHEEL-10", "W-A", most=3)) == []


def test_a_lots_history_says_the_same_when_it_is_read_back(store: Store) -> None:
    document = _document(_happen(store), "WHEEL-10", "W-A")

    events = document["epcisBody"]["eventList"]
    assert {one["type"] for one in events} == {"ObjectEvent", "TransformationEvent", "AggregationEvent"}
    back = _read_back(document)
    assert _amounts(back) == _amounts(_sent())
    assert Counter(one.type for one in back) == Counter(one.type for one in _sent())
    lots = {line["lot"] for one in back for line in one.data.get("outputs", ())}
    assert lots == {"W-A", "B-A"}


def test_what_epcis_cannot_say_is_named_with_its_message_and_why(happened: Store) -> None:
    told = _document(happened, "BIKE-100", "B-A", directions=[Direction.UP])["lineside:history"]

    assert [(one["type"], one["code"]) for one in told["untold"]] == [
        ("receipt.recorded.v1", "gtin_missing"),
        ("material.issued.v1", "gtin_missing"),
    ]
    assert all(UNTOLD in one["reason"] for one in told["untold"])
    assert (told["is_whole"], told["next"], told["gaps"]) == (True, None, [])


def test_gaps_of_the_genealogy_are_named(happened: Store) -> None:
    line = pipeline(happened, {"erp": Books()}, Clock(NOON))
    made = [_line("BIKE-100", "B-LOST", "1")]
    accept(happened, _event("c9", "production.completed.v1", order_id="B9", final=False, outputs=made))
    accept(happened, release("r9", "B9"))
    for _ in range(3):
        run_once(line)
    project(happened, lambda: NOON, 30.0)

    told = _document(happened, "BIKE-100", "B-LOST")["lineside:history"]

    assert [gap["kind"] for gap in told["gaps"]] == ["completion_without_issue"]


def test_only_the_lots_of_the_genealogy_are_told(happened: Store) -> None:
    (received,) = [one for one in _read_back(_document(happened, "RIM-1", "R2")) if one.data.get("item") == "RIM-1"]

    assert received.data["lot"] == "R2"


def test_pages_together_are_the_whole(happened: Store) -> None:
    whole = _document(happened, "WHEEL-10", "W-A")["epcisBody"]["eventList"]
    events, after, pages = [], 0, 0
    while after is not None:
        page = _document(happened, "WHEEL-10", "W-A", after=after, most=3)
        events += page["epcisBody"]["eventList"]
        after, pages = page["lineside:history"]["next"], pages + 1

    assert events == whole
    assert pages == 4


def test_an_event_has_the_id_that_it_has_in_the_targets_repository(happened: Store) -> None:
    events = _document(happened, "WHEEL-10", "W-A")["epcisBody"]["eventList"]

    assert f"urn:lineside:posting:{posting_key('mes', 'c1', 0, 'repository')}" in {one["eventID"] for one in events}


def test_a_lot_is_told_as_before_once_its_messages_were_exported_and_deleted(happened: Store, tmp_path: Path) -> None:
    before = _document(happened, "WHEEL-10", "W-A")["epcisBody"]
    days = {domain: {"posted": 1} for domain in ("production", "logistics", "inventory", "quality")}
    later = Clock(NOON)
    later.pass_time(864_000)

    done = retain(happened, Retention(days, tmp_path / "retained", "here"), ["P100"], later, 60.0)

    assert done.deleted == len(HISTORY) + 3
    assert _document(happened, "WHEEL-10", "W-A")["epcisBody"] == before


def test_a_target_that_is_none_of_epcis_is_refused_with_those_that_are(happened: Store) -> None:
    with pytest.raises(Problem, match="repository"):
        _document(happened, "WHEEL-10", "W-A", target="erp")


def test_api_and_command_give_the_document(happened: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINESIDE_DATABASE_URL", str(happened.url))
    monkeypatch.setenv("LINESIDE_HOME", str(tmp_path))
    client = web_app(happened, tmp_path, _topology()).test_client()
    viewer = account_for(happened, Role.VIEWER)

    answer = client.get("/v1/lots/W-A/epcis?direction=up", headers=viewer)
    unknown = client.get("/v1/lots/NOBODY/epcis", headers=viewer)
    printed = CliRunner().invoke(main, ["lots", "epcis", "W-A", "--direction", "up"])
    traced = CliRunner().invoke(main, ["lots", "trace", "B-A"])

    assert (answer.status_code, answer.content_type, unknown.status_code) == (200, "application/ld+json", 404)
    told = json.loads(answer.text)
    assert told["lineside:history"]["directions"] == ["up"]
    assert len(told["epcisBody"]["eventList"]) == 7
    assert json.loads(printed.stdout)["lineside:history"]["lot"] == {"item": "WHEEL-10", "lot": "W-A"}
    assert "  WHEEL-10 lot W-A: on hand 2 EA" in traced.stdout


def test_amounts_are_told_in_the_base_unit_of_the_time(happened: Store) -> None:
    (received,) = [one for one in _read_back(_document(happened, "RIM-1", "R2")) if one.type == "receipt.recorded.v1"]

    assert Decimal(received.data["received"]["value"]) == 5
