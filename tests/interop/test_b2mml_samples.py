"""B2MML V0401 documents that a real MES wrote, sent as they are."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from app.dead_letters.repair import requeue
from app.store.session import Store
from tests.factories import run_once
from tests.interop.house import House, know_items, open_house
from tests.interop.samples import sample

FOLDER = "b2mml/v0401/examples"
PERFORMANCE = f"{FOLDER}/PES-20121229115825-53107.xml"


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return open_house(store, tmp_path)


def send(house: House, name: str) -> int:
    body = sample(name).read_bytes()
    answer = house.send("mes-p200", name, "b2mml.ProductionPerformance", body, "text/xml")
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

    assert (before.state, before.code, before.field) == ("dead", "unit_unknown", "MaterialActual in line 13")
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
