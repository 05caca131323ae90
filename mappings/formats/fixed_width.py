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
    check_count,
    decode,
    encoding_of,
    read_lines,
    trailer_of,
)


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
    the rows before it at that place). Blanks around a value are not part of it.
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
    trailer, trimmed, count = trailer_of(options), bool(options.get("trimmed", False)), 0
    for line in lines:
        text = decode(line, encoding)
        if isinstance(text, str) and not text.strip(" \t\x1a"):
            continue
        if trailer and isinstance(text, str) and text.startswith(trailer["marker"]):
            _check_trailer(lines, text, trailer.get("count"), count)
            return
        count += 1
        yield text if isinstance(text, BadRow) else _row(line, text, layout, trimmed)
    if trailer:
        raise FileFault("trailer_missing", f"the file ends after {count} rows without its trailer; is it half written?")


def _row(line: Line, text: str, layout: list[_Column], trimmed: bool) -> Row | BadRow:
    """A line that is cut short inside a number would still be read as a smaller one, so it is refused."""
    width = max(column.end for column in layout)
    if len(text) < width and not trimmed:
        cut = min((column for column in layout if column.end > len(text)), key=lambda column: column.start)
        return bad_row(line, f"the line has {len(text)} characters, the layout {width}; was it cut off?", cut.name)
    if text[width:].strip():
        return bad_row(line, f"the line has {len(text)} characters, the layout only {width}; are columns shifted?")
    return Row(line.number, {column.name: text[column.start : column.end].strip() for column in layout}, text)


def _check_trailer(lines: Iterator[Line], text: str, place: Any, count: int) -> None:
    if not isinstance(place, Sequence) or len(place) != 2 or not all(_place(number) for number in place):
        raise FileFault("options_invalid", "a trailer's count must be [first column from 1, width].")
    first, width = place
    check_count(text[first - 1 : first - 1 + width].strip(), count)
    if any(line.data.strip() for line in lines):
        raise FileFault("trailer_wrong", "there are rows behind the trailer.")
