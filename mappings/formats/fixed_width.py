"""Text files whose columns stand at fixed places, a row at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, BinaryIO

from mappings.formats.lines import (
    BadRow,
    FileFault,
    Line,
    Row,
    bad_row,
    decode,
    encoding_of,
    read_lines,
)
from mappings.formats.trailer import Totals, takes_all_the_same


@dataclass(frozen=True)
class _Column:
    name: str
    start: int
    end: int


def open_rows(stream: BinaryIO, options: Mapping[str, Any], skip_rows: int = 0) -> Iterator[Row | BadRow]:
    """The rows of a file, good and bad, in its order; the first ``skip_rows`` of them are passed over.

    Options: ``layout`` (``[name, first column from 1, width]`` each, in characters), ``encoding`` (``utf-8``),
    ``header`` (false; the first line is passed over), ``trimmed`` (false; true where the writer drops blanks at a
    line's end), ``trailer`` (``{marker: TRL, count: [4, 10]}``: a last line that begins with the marker and counts
    the rows before it at that place; ``sums: [{column: quantity, at: [14, 15]}]``: and adds up columns). Blanks around
    a value are not part of it. Raises TrailerFault at the end where the trailer is wrong or missing.
    """
    layout = _layout(options)
    rows = _rows(read_lines(stream), layout, options, encoding_of(options))
    return islice(rows, skip_rows, None) if skip_rows else rows


def _layout(options: Mapping[str, Any]) -> list[_Column]:
    entries = options.get("layout")
    if not isinstance(entries, Sequence) or not entries:
        raise FileFault("options_invalid", "a fixed-width file needs its layout: [name, first column, width] each.")
    layout = [_column(entry) for entry in entries]
    if len({column.name for column in layout}) != len(layout):
        raise FileFault("options_invalid", "the layout names a column twice.")
    return layout


def _column(entry: Any) -> _Column:
    if isinstance(entry, Sequence) and len(entry) == 3:
        name, first, width = entry
        if isinstance(name, str) and _place(first) and _place(width):
            return _Column(name, first - 1, first - 1 + width)
    raise FileFault("options_invalid", f"layout entry {entry!r} must be [name, first column from 1, width].")


def _place(value: Any) -> bool:
    return type(value) is int and 1 <= value <= 10_000


def _rows(
    lines: Iterator[Line], layout: list[_Column], options: Mapping[str, Any], encoding: str
) -> Iterator[Row | BadRow]:
    if options.get("header", False):
        next(lines, None)
    totals, trimmed = Totals.of(options), bool(options.get("trimmed", False))
    for line in lines:
        text = decode(line, encoding)
        if isinstance(text, str) and not text.strip(" \t\x1a"):
            continue
        if totals and isinstance(text, str) and text.startswith(totals.marker):
            yield from _check_trailer(lines, text, totals)
            return
        row = text if isinstance(text, BadRow) else _row(line, text, layout, trimmed)
        if totals:
            row = totals.row_at_the_end(line, row)
            totals.add(row)
        yield row
    if totals:
        raise totals.missing()


def _row(line: Line, text: str, layout: list[_Column], trimmed: bool) -> Row | BadRow:
    """A line that is cut short inside a number would still be read as a smaller one, so it is refused."""
    width = max(column.end for column in layout)
    if len(text) < width and not trimmed:
        cut = min((column for column in layout if column.end > len(text)), key=lambda column: column.start)
        return bad_row(line, f"the line has {len(text)} characters, the layout {width}; was it cut off?", cut.name)
    if text[width:].strip():
        return bad_row(line, f"the line has {len(text)} characters, the layout only {width}; are columns shifted?")
    return Row(line.number, {column.name: text[column.start : column.end].strip() for column in layout}, text)


def _check_trailer(lines: Iterator[Line], text: str, totals: Totals) -> Iterator[BadRow]:
    """Raises TrailerFault where it does not hold; where good rows are taken, tells each row that stands behind it."""

    def at(place: Any) -> str:
        if not isinstance(place, Sequence) or len(place) != 2 or not all(_place(number) for number in place):
            raise FileFault("options_invalid", "a trailer's count must be [first column from 1, width].")
        first, width = place
        return text[first - 1 : first - 1 + width].strip()

    differences, behind = list(totals.check(at, totals.trailer.get("count"))), 0
    for line in lines:
        if line.data.strip(b" \t\x1a"):
            behind += 1
            if not takes_all_the_same({"trailer": totals.trailer}):
                break
            yield bad_row(line, "it stands behind the trailer, and is not taken; send it in a file of its own.")
    if differences:
        raise totals.wrong(differences)
    if behind:
        raise totals.behind(behind, 0)
