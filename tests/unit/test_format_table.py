"""The page of formats is made from the registry and from what was read, and from nothing else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from app.bench import format_table
from app.bench.format_samples import Read, Sent, read, sent_in
from app.bench.mapping_inputs import samples
from app.bench.mapping_speed import UNITS, Speed
from app.intake.rows_in import READERS
from mappings.context import Deviations, InboundContext, PlantFacts
from mappings.formats.lines import Row
from mappings.registry import INBOUND, OUTBOUND
from tests.factories import NOON

ROOT = Path(__file__).parents[2]
ORDER = b"UNB+UNOA:1+BUYER+SELLER+260101:0101+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1+9'UNT+3+1'UNZ+1+7'"


def test_every_mapping_of_the_registry_stands_in_the_table() -> None:
    made = format_table.table([], [])

    assert {kind for _, kind in [*INBOUND, *OUTBOUND] if f"`{kind}`" not in made} == set()


def test_files_are_told_by_what_stands_in_them_and_counted_as_read_or_refused(tmp_path: Path) -> None:
    (tmp_path / "order.edi").write_bytes(ORDER)
    (tmp_path / "note.txt").write_text("no message")

    (sent,) = sent_in(tmp_path)
    answer = read(sent)
    other = Read(Sent(tmp_path / "two.edi", "EDIFACT", "edifact", "edifact.ORDERS"), 2, None)
    made = format_table.made([answer, other], [])

    assert (sent.format, sent.type) == ("EDIFACT", "edifact.ORDERS")
    assert answer.refused is not None
    (row,) = [line for line in made.splitlines() if line.startswith("| EDIFACT")]
    assert row.split(" | ")[4:6] == ["1", "1"]
    assert f"- EDIFACT, `order.edi`: {answer.refused}" in made


def test_a_page_without_a_place_for_the_table_is_left_as_it_is() -> None:
    page = f"before\n{format_table.BEGIN}\nold\n{format_table.END}\nafter\n"

    assert "old" not in format_table.replaced(page, "new")
    with pytest.raises(ValueError, match="lacks the lines"):
        format_table.replaced("a page", "new")


def test_the_docs_have_a_place_for_the_table() -> None:
    page = (ROOT / "docs" / "formats.md").read_text("utf-8")

    assert "| EDIFACT |" in format_table.replaced(page, format_table.table([], []))


@pytest.mark.parametrize("name", ["JSON", "B2MML", "IDoc XML", "IDoc flat", "EDIFACT", "X12", "EPCIS"])
def test_what_is_measured_is_what_is_read(name: str) -> None:
    """A message that is refused early would be fast."""
    (one,) = [each for each in samples() if each.name == name]
    mapping, deviations = INBOUND[one.family, one.type], Deviations()
    plant = PlantFacts("P100", "P100", "Europe/Berlin", {"site": "P100"})
    context = InboundContext(plant, "s", "m", NOON, {"STK": "EA", "PCE": "EA", "EA": "EA"}, deviations=deviations)

    events = mapping.to_canonical(mapping.read(one.body, deviations), context)

    assert sum(len(event.data.get("outputs", event.data.get("lines", ()))) for event in events) == 20


@pytest.mark.parametrize("name", ["CSV", "fixed width", "AdventureWorks"])
def test_each_row_of_a_file_that_is_measured_becomes_an_event(name: str) -> None:
    (one,) = [each for each in samples() if each.name == name]
    mapping = INBOUND[one.family, one.type]
    context = InboundContext(PlantFacts("P100", "P100", "Europe/Berlin"), "s", "m", NOON, UNITS)

    pieces = list(READERS[one.file or ""](io.BytesIO(one.body), one.options or {}, 0))
    rows = [piece.values for piece in pieces if isinstance(piece, Row)]

    assert len(rows) == len(pieces) == one.messages
    assert all(mapping.to_canonical(row, context) for row in rows)


def test_what_stands_beside_the_bare_parser_is_told_with_it() -> None:
    speed = Speed("X12", 100.0, (90.0, 110.0), 10, "str.split", 5_000.0, "pyx12's X12Reader", 120.0)

    (row,) = [line for line in format_table.table([], [speed]).splitlines() if line.startswith("| X12")]

    assert row.endswith("| 50.0 (str.split), 1.2 (pyx12's X12Reader) |")
    assert (speed.wire()["ratio"], speed.wire()["beside_ratio"], speed.met) == (50.0, 1.2, False)
