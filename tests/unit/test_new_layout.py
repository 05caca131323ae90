"""`lineside new layout` makes a layout file of what SAP users have: the parser text of transaction WE60."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from config.record_layouts import read_layout


def fields(*columns: tuple[str, str, int], first: int = 64) -> str:
    text = "      BEGIN_FIELDS\n"
    for number, (name, kind, length) in enumerate(columns, start=1):
        text += f"""
        NAME            {name}
        TEXT            END_SEGMENT of a field: free words
        TYPE            {kind}
        LENGTH          {length:06}
        FIELD_POS       {number:04}
        CHARACTER_FIRST {first:06}
        CHARACTER_LAST  {first + length - 1:06}
"""
        first += length
    return text + "      END_FIELDS\n"


def parser_text(*segments: tuple[str, str, Sequence[tuple[str, str, int]]]) -> str:
    text = "BEGIN_RECORD_SECTION\n  BEGIN_CONTROL_RECORD\n" + fields(("TABNAM", "CHARACTER", 10), first=1)
    text += "  END_CONTROL_RECORD\nEND_RECORD_SECTION\n\nBEGIN_SEGMENT_SECTION\n  BEGIN_IDOC MBGMCR03\n"
    for definition, kind, columns in segments:
        text += f"    BEGIN_SEGMENT {definition}\n      SEGMENTTYPE {kind}\n      LEVEL 02\n      STATUS OPTIONAL\n"
        text += fields(*columns) + "    END_SEGMENT\n"
    return text + "  END_IDOC\nEND_SEGMENT_SECTION\n"


LOT = ("Z2LOT000", "Z1LOT", [("CHARG", "CHARACTER", 10), ("PRUEFDAT", "DATE", 8), ("MENGE", "CHARACTER", 15)])
MARM = ("E2MARMM", "E1MARMM", [("MSGFN", "CHARACTER", 3), ("MEINH", "CHARACTER", 3)])
MARM_LATER = ("E2MARMM001", "E1MARMM", [*MARM[2], ("UMREZ", "NUMERIC", 5)])


def made(folder: Path, text: str, *arguments: str, encoding: str = "utf-8") -> Result:
    (folder / "we60.txt").write_bytes(text.encode(encoding))
    return CliRunner().invoke(
        main, ["new", "layout", str(folder / "made.yaml"), "--from", str(folder / "we60.txt"), *arguments]
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_parser_text_becomes_a_layout_that_a_source_can_name(tmp_path: Path, encoding: str, line_end: str) -> None:
    text = parser_text(LOT, MARM, MARM_LATER).replace("free words", "für").replace("\n", line_end)

    result = made(tmp_path, text, "--json", encoding=encoding)

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["segments"] == {"Z1LOT": 3, "E1MARMM": 3}
    found, faults = read_layout((tmp_path / "made.yaml").read_text(), "made.yaml")
    assert not faults
    assert found["Z1LOT"] == (("CHARG", 10), ("PRUEFDAT", 8), ("MENGE", 15))
    assert found["E1MARMM"] == (("MSGFN", 3), ("MEINH", 3), ("UMREZ", 5))


def test_one_segment_may_be_taken_alone(tmp_path: Path) -> None:
    assert made(tmp_path, parser_text(LOT, MARM), "--segment", "Z1LOT").exit_code == 0

    assert set(read_layout((tmp_path / "made.yaml").read_text(), "")[0]) == {"Z1LOT"}


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("LENGTH          000008", "LENGTH          000009", "segment Z2LOT000: field PRUEFDAT has LENGTH 9"),
        ("TYPE            DATE", "TYPE            FLOAT", "has the type 'FLOAT'"),
        ("NAME            MENGE", "NAME ", "a field has no name"),
        ("NAME            MENGE", "NAME            CHARG", "column CHARG stands here a second time"),
        ("CHARACTER_FIRST 000064", "CHARACTER_FIRST ", "no number as its CHARACTER_FIRST"),
        ("    END_SEGMENT\n  END", "  END", "it has no END_SEGMENT"),
        ("BEGIN_SEGMENT ", "SEGMENT ", "there is no BEGIN_SEGMENT"),
    ],
)
def test_a_text_that_is_none_is_refused_and_nothing_written(tmp_path: Path, old: str, new: str, told: str) -> None:
    text = parser_text(LOT)
    assert old in text

    result = made(tmp_path, text.replace(old, new, 1))

    assert result.exit_code == 1
    assert told in result.output
    assert not (tmp_path / "made.yaml").exists()


def test_two_releases_that_contradict_each_other_are_told(tmp_path: Path) -> None:
    other = ("E2MARMM002", "E1MARMM", [("MSGFN", "CHARACTER", 4)])

    result = made(tmp_path, parser_text(MARM, other))

    assert result.exit_code == 1
    assert "segment E1MARMM: it stands in the text twice, with different fields" in result.output


def test_a_call_that_has_to_be_mended_ends_with_2(tmp_path: Path) -> None:
    assert made(tmp_path, parser_text(LOT), "--segment", "E1NONE").exit_code == 2
    assert made(tmp_path, parser_text(LOT)).exit_code == 0

    assert made(tmp_path, parser_text(LOT)).exit_code == 2
