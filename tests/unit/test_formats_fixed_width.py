"""Fixed-width files: columns by their place, and lines that were cut or shifted."""

from __future__ import annotations

import io
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.formats.fixed_width import open_rows
from mappings.formats.lines import BadRow, FileFault, Row

OPTIONS: dict[str, Any] = {"layout": [["record", 1, 4], ["item", 5, 6], ["qty", 11, 5]]}
FIRST = b"0001WHEEL 12,50\n"


def read(content: bytes, **options: Any) -> list[Row | BadRow]:
    return list(open_rows(io.BytesIO(content), {**OPTIONS, **options}))


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r", b""], ids=["LF", "CRLF", "CR", "none"])
def test_columns_are_cut_at_their_places_and_trimmed(end: bytes) -> None:
    assert read(b"0001WHEEL 12,50" + end) == [
        Row(1, {"record": "0001", "item": "WHEEL", "qty": "12,50"}, "0001WHEEL 12,50")
    ]


def test_places_count_characters_not_bytes() -> None:
    (row,) = read("0001Röhre 12,50\n".encode())

    assert cast(Row, row).values["qty"] == "12,50"


def test_a_line_cut_short_is_bad_and_names_the_column_where_it_ends() -> None:
    found = read(FIRST + b"0002WHEEL 12\n" + b"0003WHEEL  1,00\n")

    assert [row.number for row in found] == [1, 2, 3]
    assert isinstance(found[1], BadRow)
    assert found[1].field == "qty"
    assert found[1].raw == "0002WHEEL 12"


def test_blanks_dropped_at_the_end_are_allowed_where_the_topology_says_so() -> None:
    (row,) = read(b"0002WHEEL\n", trimmed=True)

    assert cast(Row, row).values == {"record": "0002", "item": "WHEEL", "qty": ""}


def test_text_behind_the_last_column_makes_a_row_bad() -> None:
    found = read(b"0001WHEEL 12,50  \n0002WHEELX 12,50\n")

    assert [type(row) for row in found] == [Row, BadRow]


def test_a_byte_of_another_encoding_is_named() -> None:
    (row,) = read(b"0001R\xf6hre 12,50\n")

    assert isinstance(row, BadRow)
    assert "0xf6 at offset 5" in row.reason
    assert [type(row) for row in read(b"0001R\xf6hre 12,50\n", encoding="latin-1")] == [Row]


def test_a_header_line_is_passed_over_and_an_empty_file_has_no_rows() -> None:
    assert len(read(b"NO  ITEM  QTY\n" + FIRST, header=True)) == 1
    assert read(b"") == []


TRAILER = {"trailer": {"marker": "END", "count": [4, 6]}}


def test_a_trailer_that_counts_right_is_no_row() -> None:
    assert len(read(FIRST + b"END000001\n", **TRAILER)) == 1


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (b"", "trailer_missing"),
        (b"END000002\n", "trailer_wrong"),
        (b"END\n", "trailer_wrong"),
        (b"END000001\n" + FIRST, "trailer_wrong"),
    ],
)
def test_half_a_file_is_told_by_its_trailer(end: bytes, code: str) -> None:
    with pytest.raises(FileFault, match=code):
        read(FIRST + end, **TRAILER)


@pytest.mark.parametrize(
    "options",
    [
        {"layout": None},
        {"layout": []},
        {"layout": [["a", 0, 1]]},
        {"layout": [["a", 1, 1], ["a", 2, 1]]},
        {"layout": ["abc"]},
        {"layout": [["a", "1", 2]]},
        {"encoding": "utf-16"},
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(FileFault, match="options_invalid"):
        read(FIRST, **options)


@given(
    content=st.lists(st.sampled_from([FIRST, b"0002WH\n", b"\n", b"\xff\n", b"0003\x00\n"]), max_size=20).map(b"".join),
    skip=st.integers(0, 25),
)
def test_a_reading_resumed_behind_n_rows_gives_the_rest(content: bytes, skip: int) -> None:
    resumed = list(open_rows(io.BytesIO(content), OPTIONS, skip_rows=skip))

    assert resumed == read(content)[skip:]


@given(content=st.binary(max_size=300))
def test_any_bytes_become_rows_or_a_file_fault(content: bytes) -> None:
    try:
        found: list[Row | BadRow] = read(content)
    except FileFault as fault:
        found = [BadRow(0, None, fault.reason, "")]

    assert all(row.reason for row in found if isinstance(row, BadRow))
