"""B2MML V0401 documents that a real MES wrote, sent as they are."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree

from app.dead_letters.repair import requeue
from app.store.messages_tables import TimelineEntry
from app.store.session import Store
from mappings.context import Deviations, Event, InboundContext, PlantFacts
from mappings.registry import INBOUND
from tests.factories import run_once
from tests.interop.house import House, know_items, open_house
from tests.interop.samples import sample

FOLDER = "b2mml/v0401/examples"
PERFORMANCE = f"{FOLDER}/PES-20121229115825-53107.xml"
SCHEDULE = f"{FOLDER}/PRO-20121210181416-27942.xml"
DEFINITION = f"{FOLDER}/MAT-20121210170256-CRBN0001.xml"
PLACE = "line 13, ProductionPerformance/ProductionResponse/SegmentResponse/MaterialActual"
B = {"b": "http://www.wbf.org/xml/B2MML-V0401"}


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return open_house(store, tmp_path)


def send(house: House, name: str, kind: str = "b2mml.ProductionPerformance") -> int:
    body = sample(name).read_bytes()
    answer = house.send("mes-p200", name, kind, body, "text/xml")
    assert answer.status_code == 202, answer.text
    return int(answer.get_json()["id"])


def test_a_performance_in_a_unit_without_translation_is_posted_once_the_unit_is_added(house: House) -> None:
    know_items(house.store, [("CRBN0001", "KG", {})])
    message = send(house, PERFORMANCE)
    house.release("P200", "53107", "CRBN0001", "KG")
    before = house.fate(message)

    source = house.topology.sources["mes-p200"]
    mended = replace(source, units={**source.units, "KG": "KG"})
    topology = replace(house.topology, sources={**house.topology.sources, "mes-p200": mended})
    with house.store.writing() as session:
        requeue(session, [message], "an operator", house.clock())
    run_once(replace(house.pipeline, topology=topology), "P200")

    assert (before.state, before.code, before.field) == ("dead", "unit_unknown", PLACE)
    assert "Add the unit to the source" in before.reason
    assert house.fate(message).state == "posted"
    (event,) = house.events(message)
    assert (event["type"], event["data"]["order_id"], event["data"]["segment"]) == (
        "material.issued.v1",
        "53107",
        "Weighing",
    )
    used = {line["item"]: Decimal(line["quantity"]["value"]) for line in event["data"]["components"]}
    assert used == {"CRBN0001": Decimal("0.41")}
    with house.store.reading() as session:
        notes = [one.note or "" for one in session.query(TimelineEntry).filter_by(message_id=message)]
    assert any("lacks the attribute releaseID" in note for note in notes)
    assert '"0.41"' in str(house.books["erp"].documents[-1]).replace("'", '"')


@pytest.mark.parametrize(
    ("name", "root"),
    [
        ("MAT-20121210170256-CRBN0001.xml", "SyncMaterialDefinition"),
        ("PRO-20121210181416-27942.xml", "SyncProductionSchedule"),
    ],
)
def test_a_document_of_another_kind_is_dead_and_named(house: House, name: str, root: str) -> None:
    message = send(house, f"{FOLDER}/{name}")

    house.run()

    fate = house.fate(message)
    assert (fate.state, fate.code) == ("dead", "document_unknown")
    assert f"the document is a {root}; it must hold a ProductionPerformance" in fate.reason
    assert house.kept(message) == sample(f"{FOLDER}/{name}").read_bytes()


def events_of(kind: str, name: str) -> list[Event]:
    mapping = INBOUND["mes_b2mml", kind]
    plant = PlantFacts("P200", "Machining", "Europe/Paris")
    context = InboundContext(plant, "mes-p200", "m", datetime(2026, 1, 1, tzinfo=UTC), {"KG": "KG"})
    payload = mapping.read(sample(name).read_bytes(), Deviations(strict=True))
    return list(mapping.to_canonical(payload, context))


def requirements(use: str) -> list[tuple[str, Decimal]]:
    """What the document itself says, by XPath: items and amounts of the requirements with a use, or without any."""
    root = etree.parse(sample(SCHEDULE)).getroot()
    condition = f"b:MaterialUse='{use}'" if use else "not(b:MaterialUse)"
    found = root.xpath(f"//b:MaterialRequirement[{condition}]", namespaces=B)
    names = ("b:MaterialDefinitionID", "b:Quantity/b:QuantityString")
    texts = [tuple(one.findtext(name, namespaces=B) for name in names) for one in found]
    return [(item, Decimal(amount)) for item, amount in texts]


def test_a_schedule_becomes_the_order_with_every_amount_that_it_plans() -> None:
    (event,) = events_of("b2mml.ProductionSchedule", SCHEDULE)

    planned, needed, silent = (requirements(use) for use in ("Produced", "Consumed", ""))
    assert (event.type, event.data["order_id"]) == ("production.order.released.v1", "258456")
    assert [(event.data["item"], Decimal(event.data["quantity"]["value"]))] == planned
    lines = [(line["item"], Decimal(line["quantity"]["value"])) for line in event.data["materials"]]
    assert lines == needed
    assert len(lines) == 4
    totals: Counter[str] = Counter()
    for item, amount in lines:
        totals[item] += amount  # type: ignore[assignment]
    assert totals == {"CRBN0001": Decimal(816), "CRBN0002": Decimal(50), "CRBN0003": Decimal(100)}
    assert event.data["note"].count("line ") == len(silent) == 2
    assert [segment["id"] for segment in event.data["segments"]] == ["0010", "Weighing", "Contenair"]


def test_a_material_definition_becomes_the_item_with_its_base_unit() -> None:
    (event,) = events_of("b2mml.MaterialDefinition", DEFINITION)

    told = {name: event.data[name] for name in ("item", "description", "base_uom", "event_time")}
    assert event.type == "item.changed.v1"
    assert told == {
        "item": "CRBN0001",
        "description": "Product Courbon0001",
        "base_uom": "KG",
        "event_time": "2012-12-10T17:02:56Z",
    }
