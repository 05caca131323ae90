"""Delimited files: good rows, bad rows, and files that are not what they should be."""

from __future__ import annotations

import io
import tracemalloc
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.formats.delimited import open_rows
from mappings.formats.lines import BadRow, FileFault, Row

OPTIONS: dict[str, Any] = {"delimiter": ";", "columns": ["record", "item", "qty"]}
HEADER = b"record;item;qty\n"


def read(content: bytes, **options: Any) -> list[Row | BadRow]:
    return list(open_rows(io.BytesIO(content), {**OPTIONS, **options}))


def values(found: list[Row | BadRow]) -> list[list[str] | str]:
    return [list(row.values.values()) if isinstance(row, Row) else row.reason for row in found]


def bad(found: list[Row | BadRow]) -> BadRow:
    (row,) = [row for row in found if isinstance(row, BadRow)]
    return row


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["LF", "CRLF", "CR"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["without BOM", "with BOM"])
@pytest.mark.parametrize("last", [True, False], ids=["ended", "not ended"])
def test_rows_are_read_whatever_the_line_ends(end: bytes, mark: bytes, last: bool) -> None:
    content = mark + end.join([b"record;item;qty", b"1;A;2", b"", b"2;B;3"]) + (end if last else b"")

    found = read(content)

    assert values(found) == [["1", "A", "2"], ["2", "B", "3"]]
    assert [row.number for row in found] == [2, 4]


def test_a_line_end_that_falls_between_two_chunks_is_one_line_end() -> None:
    padding = b"x" * (65_536 - len(HEADER) - len(b"1;;2\r"))
    content = HEADER + b"1;" + padding + b";2\r" + b"\n2;B;3\n"

    assert content[65_535:65_537] == b"\r\n"
    assert [row.number for row in read(content)] == [2, 3]


def test_columns_may_stand_in_another_order() -> None:
    (row,) = read(b"qty;record;item\n2;1;A\n")

    assert cast(Row, row).values == {"qty": "2", "record": "1", "item": "A"}


def test_a_quoted_field_may_hold_delimiters_quotes_and_line_ends() -> None:
    found = read(HEADER + b'1;"A;""B""\nC";2\n2;D;3\n')

    assert values(found) == [["1", 'A;"B"\nC', "2"], ["2", "D", "3"]]
    assert [row.number for row in found] == [2, 4]


def test_a_quote_within_a_word_is_only_a_quote() -> None:
    assert values(read(HEADER + b'1;5" pipe;2\n')) == [["1", '5" pipe', "2"]]


def test_a_quote_that_never_closes_costs_its_own_row_only() -> None:
    rest = b"".join(b"%d;B;3\n" % number for number in range(2, 40))

    found = read(HEADER + b'1;"A;2\n' + rest)

    assert len(found) == 39
    assert bad(found).number == 2
    assert "quote" in bad(found).reason


def test_a_row_of_another_width_is_bad_and_its_neighbours_are_good() -> None:
    found = read(HEADER + b"1;A;2\n2;B\n3;C;4;5\n4;D;6\n")

    assert values(found) == [
        ["1", "A", "2"],
        "the row has 2 columns, the header has 3.",
        "the row has 4 columns, the header has 3.",
        ["4", "D", "6"],
    ]
    assert found[1].raw == "2;B"


def test_a_latin_1_byte_in_a_utf_8_file_is_named_with_its_offset_and_the_mend() -> None:
    found = read(HEADER + b"1;A;2\n2;caf\xe9;3\n3;C;4\n")

    assert [row.number for row in found] == [2, 3, 4]
    assert f"0xe9 at offset {len(HEADER) + 11}" in bad(found).reason
    assert "latin-1" in bad(found).reason
    assert bad(found).raw == "2;caf\\xe9;3"


def test_a_file_is_read_in_the_encoding_of_the_topology() -> None:
    assert values(read(HEADER + b"1;caf\xe9;2\n", encoding="latin-1")) == [["1", "café", "2"]]


def test_a_nul_byte_makes_a_row_bad() -> None:
    assert "NUL" in bad(read(HEADER + b"1;A\x00;2\n2;B;3\n")).reason


def test_rows_end_with_a_delimiter_where_the_header_does() -> None:
    assert values(read(b"record;item;qty;\n1;A;2;\n2;B;3\n")) == [["1", "A", "2"], ["2", "B", "3"]]


def test_a_header_without_rows_is_a_file_of_no_rows() -> None:
    assert read(HEADER) == []


@pytest.mark.parametrize(
    ("content", "code", "told"),
    [
        (b"", "header_missing", "empty"),
        (b"\r\n\r\n", "header_missing", "empty"),
        (b"record,item,qty\n1,A,2\n", "delimiter_wrong", "','"),
        (b"record\titem\tqty\n", "delimiter_wrong", "'\\t'"),
        (b"record;item;amount\n", "header_wrong", "lacks qty and has the unknown amount"),
        (b"record;item\n", "header_wrong", "lacks qty"),
        (b"record;item;item\n", "header_wrong", "item twice"),
        (b"record;;qty\n", "header_wrong", "without a name"),
        (b"record;it\xe9m;qty\n", "header_invalid", "latin-1"),
        ("record;item;qty\n".encode("utf-16"), "encoding_wrong", "UTF-16"),
    ],
)
def test_a_file_that_is_not_what_it_should_be_is_refused_as_a_whole(content: bytes, code: str, told: str) -> None:
    with pytest.raises(FileFault) as caught:
        open_rows(io.BytesIO(content), OPTIONS)

    assert caught.value.code == code
    assert told in caught.value.reason


def test_a_file_without_a_header_takes_its_columns_from_the_topology() -> None:
    assert values(read(b"1;A;2\n2;B\n", header=False)) == [
        ["1", "A", "2"],
        "the row has 2 columns, the topology has 3.",
    ]
    assert read(b"", header=False) == []


def test_a_wrong_delimiter_is_seen_without_a_header_too() -> None:
    with pytest.raises(FileFault, match="delimiter_wrong"):
        read(b"1,A,2\n", header=False)


@pytest.mark.parametrize(
    "options",
    [
        {"delimiter": ""},
        {"delimiter": ";;"},
        {"delimiter": '"'},
        {"encoding": "utf-16"},
        {"encoding": "klingon"},
        {"header": False, "columns": []},
        {"trailer": {"count": 2}},
        {"trailer": "T"},
    ],
)
def test_options_that_cannot_be_used_are_refused_by_name(options: dict[str, Any]) -> None:
    with pytest.raises(FileFault, match="options_invalid"):
        read(HEADER, **options)


TRAILER = {"trailer": {"marker": "END", "count": 2}}


def test_a_trailer_that_counts_right_is_no_row() -> None:
    assert values(read(HEADER + b"1;A;2\nEND;1;\n", **TRAILER)) == [["1", "A", "2"]]


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (b"", "trailer_missing"),
        (b"END;2;\n", "trailer_wrong"),
        (b"END;x;\n", "trailer_wrong"),
        (b"END\n", "trailer_wrong"),
        (b"END;1;\n2;B;3\n", "trailer_wrong"),
    ],
)
def test_half_a_file_is_told_by_its_trailer(end: bytes, code: str) -> None:
    rows = open_rows(io.BytesIO(HEADER + b"1;A;2\n" + end), {**OPTIONS, **TRAILER})

    assert values([next(rows)]) == [["1", "A", "2"]]
    with pytest.raises(FileFault, match=code):
        next(rows)


MIXED = st.lists(
    st.sampled_from([b"1;A;2", b"2;B", b'3;"C\nD";4', b'4;"E;5', b"5;\xff;6", b"", b"6;F;7"]), max_size=30
).map(lambda lines: HEADER + b"\n".join(lines))


@given(content=MIXED, skip=st.integers(0, 40))
def test_a_reading_resumed_behind_n_rows_gives_the_rest(content: bytes, skip: int) -> None:
    whole = read(content)

    resumed = list(open_rows(io.BytesIO(content), OPTIONS, skip_rows=skip))

    assert resumed == whole[skip:]


@given(content=st.binary(max_size=300) | MIXED, header=st.booleans())
def test_any_bytes_become_rows_or_a_file_fault(content: bytes, header: bool) -> None:
    try:
        found: list[Row | BadRow] = read(content, header=header)
    except FileFault as fault:
        found = [BadRow(0, None, fault.reason, "")]

    assert [row.number for row in found] == sorted(row.number for row in found)
    assert all(row.reason for row in found if isinstance(row, BadRow))


class _Endless(io.RawIOBase):
    """A file of many rows that exists only as far as it is read."""

    def __init__(self, rows: int) -> None:
        self._rows = iter(range(rows))
        self._buffer = HEADER

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._buffer) < size and (number := next(self._rows, None)) is not None:
            self._buffer += b"%09d;%s;12,5\r\n" % (number, b"I" * 120)
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


@pytest.mark.slow
def test_a_hundred_thousand_rows_take_the_memory_of_a_few() -> None:
    tracemalloc.start()
    try:
        count = sum(1 for row in open_rows(cast(Any, _Endless(100_000)), OPTIONS) if isinstance(row, Row))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert count == 100_000
    assert peak < 1_000_000
