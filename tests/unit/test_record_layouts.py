"""The columns of flat IDocs are data: a file that a source names, checked when the topology is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from config.record_layouts import SEGMENT_CHARACTERS, read_layout
from config.topology_file import TopologyError, load_topology
from mappings.context import InboundContext, PlantFacts
from mappings.formats import idoc, idoc_records
from mappings.inbound.sap_idoc.segments import idocs
from mappings.registry import InboundMapping
from tests.idocs import FlatIdoc

TOPOLOGY = """version: 1
plants:
  - {code: P1, name: One, timezone: Europe/Berlin}
sources:
  - code: sap
    kind: ERP
    plants: [P1]
    mapping: sap_idoc
    intake: drop
    files:
      - {pattern: "*.idoc", type: idoc.MBGMCR, format: idoc}
    options:
      layouts: [%s]
"""
LOT = """version: 1
source: "WE60 of our own system"
segments:
  Z1LOT:
    - {name: CHARG, at: 1, length: 10, type: CHARACTER}
    - {name: PRUEFDAT, at: 11, length: 8, type: DATE}
    - {name: MENGE, length: 15}
"""


def topology(folder: Path, layout: str | None, named: str = "lot.yaml") -> Path:
    if layout is not None:
        (folder / "lot.yaml").write_text(layout)
    file = folder / "topology.yaml"
    file.write_text(TOPOLOGY % named)
    return file


@pytest.mark.parametrize("name", ["Z1LOT", "Z1LOT000", "Z2LOT000", "Z2LOT"])
def test_a_segment_of_ones_own_is_read_by_the_columns_of_a_file(tmp_path: Path, name: str) -> None:
    source = load_topology(topology(tmp_path, LOT)).sources["sap"]
    body = FlatIdoc("MBGMCR").add_data(name, "L-4711    20260303         12.500").body()

    plant = PlantFacts("P1", "One", "Europe/Berlin")
    context = InboundContext(plant, "sap", "1", datetime(2026, 3, 3, tzinfo=UTC), options=source.options)
    (found,) = idocs(idoc.read(body), ("MBGMCR",), context)

    lot = found.only("Z1LOT")
    assert (lot.get("CHARG"), lot.get("PRUEFDAT"), lot.number("MENGE")) == ("L-4711", "20260303", 12.5)


def test_what_the_source_itself_says_goes_before_the_file(tmp_path: Path) -> None:
    file = topology(tmp_path, LOT)
    file.write_text(file.read_text() + "      segments: {Z1LOT: [[CHARG, 20]]}\n")

    assert load_topology(file).sources["sap"].options["segments"]["Z1LOT"] == [["CHARG", 20]]


FAULTS = [
    ("at: 11,", "at: 10,", 6, "CHARG ends at 10: they overlap"),
    ("at: 11,", "at: 14,", 6, "a gap; write at: 11, or give the 3 characters"),
    ("at: 1,", "at: 0,", 5, "count from 1"),
    ("length: 10", "length: 0", 5, "length of CHARG is no number"),
    ("length: 10", "length: ten", 5, "length of CHARG is no number"),
    ("length: 8", "length: 10", 6, "a DATE has 8"),
    ("type: DATE", "type: PACKED", 6, "'PACKED' of PRUEFDAT is not known; write one of CHARACTER, NUMERIC, DATE, TIME"),
    ("name: MENGE, ", "", 7, "the column has no name"),
    ("name: MENGE", "name: CHARG", 7, "stands here a second time"),
    ("name: MENGE", "name: Menge", 7, "no field's name"),
    ("length: 15", "length: 983", 7, "ends at 1,001"),
    ("length: 15", "width: 15", 7, "'width' is no key of a column"),
    ("  Z1LOT:", "  'z1 lot':", 4, "no segment's type"),
    ("version: 1", "version: 2", 1, "begin it with `version: 1`"),
    ("segments:", "segment:", 3, "write version, source or segments"),
    ("at: 1, ", "at: 1, at: 2, ", 5, "second time"),
]


@pytest.mark.parametrize(("old", "new", "line", "told"), FAULTS, ids=[told[:30] for _, _, _, told in FAULTS])
def test_a_fault_of_a_layout_names_file_line_and_mend(tmp_path: Path, old: str, new: str, line: int, told: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(topology(tmp_path, LOT.replace(old, new, 1)))

    fault = next(fault for fault in caught.value.faults if fault.line == line)
    assert fault.file == str(tmp_path / "lot.yaml")
    assert told in str(fault)
    assert "Z1LOT" in fault.path or line in (1, 3, 4) or told == "second time"


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("none.yaml", "there is no file 'none.yaml' here"),
        ("../lot.yaml", "lies outside the topology's folder"),
        ("lot.yaml, lot.yaml", "so does a file named before it"),
        ("7", "this is no file name"),
    ],
)
def test_a_layout_that_cannot_be_found_is_told_where_it_is_named(tmp_path: Path, named: str, told: str) -> None:
    with pytest.raises(TopologyError) as caught:
        load_topology(topology(tmp_path, LOT, named))

    (fault,) = caught.value.faults
    assert (fault.line, fault.file) == (13, str(tmp_path / "topology.yaml"))
    assert told in fault.reason


def test_a_layout_file_is_bounded(tmp_path: Path) -> None:
    with pytest.raises(TopologyError, match=r"lot\.yaml:1: the file is larger than 1,000,000 bytes"):
        load_topology(topology(tmp_path, LOT + "#" * 1_000_000))


def test_the_columns_that_come_with_lineside_are_a_sound_layout_file() -> None:
    found, faults = read_layout(idoc_records.DATA.decode(), "idoc_segments.json")

    assert not faults
    assert found["E1EDL37"] == (("EXIDV", 20),)
    assert SEGMENT_CHARACTERS == idoc_records.SEGMENT_DATA_MOST
    assert {name: tuple(idoc_records.segment_columns(name)) for name in found} == {
        name: tuple(idoc_records.placed(columns)) for name, columns in found.items()
    }


def test_other_columns_make_another_version_of_the_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    before = InboundMapping(idoc.read, lambda payload, context: ()).version

    monkeypatch.setattr(idoc_records, "DATA", idoc_records.DATA.replace(b'"length": 18', b'"length": 40'))

    assert InboundMapping(idoc.read, lambda payload, context: ()).version != before


def test_a_layout_replaces_the_columns_that_come_with_lineside(tmp_path: Path) -> None:
    columns = "[{name: FILLER, length: 3}, {name: GM_CODE, length: 2}]"
    layout = f"version: 1\nsegments: {{E1BP2017_GM_CODE: {columns}}}\n"
    source = load_topology(topology(tmp_path, layout)).sources["sap"]
    body = FlatIdoc("MBGMCR").add_data("E2BP2017_GM_CODE", "   04").body()
    context = InboundContext(
        PlantFacts("P1", "One", "Europe/Berlin"), "sap", "1", datetime(2026, 3, 3, tzinfo=UTC), options=source.options
    )

    (found,) = idocs(idoc.read(body), ("MBGMCR",), context)

    assert found.only("E1BP2017_GM_CODE").get("GM_CODE") == "04"
