"""A file that is one document becomes one message, with the bytes as they stood in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.store.session import Store
from config.topology import DropFile, Topology
from config.topology_file import load_topology
from mappings.formats.documents import MAX_DOCUMENT_BYTES
from tests.interop.house import House, open_house

pytestmark = pytest.mark.slow

REPORT = """<?xml version="1.0" encoding="{encoding}"?>
<ProductionPerformance xmlns="http://www.mesa.org/xml/B2MML-V0600">
  <ProductionResponse>
    <ProductionRequestID>2000451</ProductionRequestID>
    <SegmentResponse>
      <ActualEndTime>2026-03-01T09:30:00Z</ActualEndTime>
      <MaterialActual>
        <MaterialDefinitionID>FRAME-200</MaterialDefinitionID>
        <MaterialUse>Produced</MaterialUse>
        <Quantity><QuantityString>4</QuantityString><UnitOfMeasure>each</UnitOfMeasure></Quantity>
      </MaterialActual>
    </SegmentResponse>
  </ProductionResponse>
</ProductionPerformance>
"""


def topology(**changes: object) -> Topology:
    """The packaged one, whose plant P200 drops its reports as files."""
    packaged = load_topology(None)
    kind = DropFile("*.xml", "b2mml.ProductionPerformance", "document")
    source = replace(packaged.sources["mes-p200"], intake="drop", files=(kind,), **changes)  # type: ignore[arg-type]
    return replace(packaged, sources={**packaged.sources, source.code: source})


@pytest.fixture
def house(store: Store, tmp_path: Path) -> House:
    return open_house(store, tmp_path, topology())


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1", "utf-16"])
def test_a_dropped_document_is_posted_and_kept_as_it_stood(house: House, encoding: str) -> None:
    body = REPORT.format(encoding=encoding).encode(encoding)
    house.release("P200", "2000451", "FRAME-200")

    house.drop("mes-p200", "PERF-1.xml", body)
    house.run()

    (fate, kept) = (house.fate(2), house.kept(2))
    assert (fate.state, kept) == ("posted", body)
    assert (house.settings.drop_dir / "mes-p200" / "archive" / "PERF-1.xml").read_bytes() == body


def test_a_dropped_document_is_taken_once_however_often_it_is_dropped(house: House) -> None:
    body = REPORT.format(encoding="utf-8").encode()

    house.drop("mes-p200", "PERF-1.xml", body)
    house.drop("mes-p200", "PERF-2.xml", body)

    assert len(house.fates()) == 1
    assert "nothing was taken twice" in house.dropped("mes-p200", "archive", "PERF-2.xml.note.txt")


@pytest.mark.parametrize(
    ("body", "reason"),
    [(b" \n", "the file is empty"), (b"<" + b" " * MAX_DOCUMENT_BYTES, "at most 5,000,000 bytes")],
)
def test_a_file_that_is_no_document_stands_in_failed_with_the_reason(house: House, body: bytes, reason: str) -> None:
    house.drop("mes-p200", "PERF-1.xml", body)

    assert reason in house.dropped("mes-p200", "failed", "PERF-1.xml.error.txt")
    assert house.fates() == []


def test_a_document_that_is_cut_off_is_dead_and_kept_with_its_place(house: House) -> None:
    whole = REPORT.format(encoding="utf-8").encode()

    house.drop("mes-p200", "PERF-1.xml", whole[: len(whole) // 2])
    house.run()

    (fate,) = house.fates()
    assert (fate.state, fate.code) == ("dead", "xml_invalid")
    assert fate.field is not None
    assert fate.field.startswith("line ")
