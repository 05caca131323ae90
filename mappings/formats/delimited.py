"""Delimited text files (CSV and its relatives), a row at a time."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
    raw_text,
    read_lines,
)
from mappings.formats.trailer import Totals, takes_all_the_same

MAX_RECORD_LINES = 20
_DELIMITERS = (";", ",", "\t", "|")
_SPELLED = {"tab": "\t", "\\t": "\t"}


def open_rows(stream: BinaryIO, options: Mapping[str, Any], skip_rows: int = 0) -> Iterator[Row | BadRow]:
    """The rows of a file, good and bad, in its order; the first ``skip_rows`` of them are passed over.

    Options: ``delimiter`` (default ``,``), ``encoding`` (``utf-8``), ``header`` (true), ``columns`` (expected of the
    header; needed where there is none), ``trailer`` (``{marker: T, count: 2}``: the last row begins with the marker,
    and its second column counts the rows before it; ``sums: [{column: qty, at: 3}]``: and its third adds up a column).
    Raises FileFault at once where the header shows that the file is not what the options describe, and TrailerFault at
    the end where the trailer is wrong or missing: half a file looks whole until then.
    """
    reader = _Reader(_Lines(read_lines(stream)), _delimiter(options), encoding_of(options))
    columns = _columns(reader, options)
    rows = _rows(reader, columns, Totals.of(options))
    return islice(rows, skip_rows, None) if skip_rows else rows


def _delimiter(options: Mapping[str, Any]) -> str:
    text = str(options.get("delimiter", ","))
    text = _SPELLED.get(text, text)
    if len(text) != 1 or text in '"\r\n\0':
        raise FileFault("options_invalid", f"delimiter {text!r} must be one character, such as ';' or 'tab'.")
    return text


class _Lines:
    """Lines that can be given back, so that a quote that never closes costs its own row only."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._returned: deque[Line] = deque()

    def take(self) -> Line | None:
        return self._returned.popleft() if self._returned else next(self._lines, None)

    def give_back(self, lines: list[Line]) -> None:
        self._returned.extendleft(reversed(lines))


@dataclass(frozen=True)
class _Record:
    """``line`` is its first, ``last`` its last."""

    line: Line
    fields: list[str]
    raw: str
    last: Line


@dataclass
class _Reader:
    lines: _Lines
    delimiter: str
    encoding: str

    def next_record(self) -> _Record | BadRow | None:
        """The next record that is not blank; None at the end of the file."""
        while (line := self.lines.take()) is not None:
            text = decode(line, self.encoding)
            if isinstance(text, BadRow):
                return text
            if not text.strip(" \t\x1a"):
                continue
            if '"' not in text:
                return _Record(line, text.split(self.delimiter), text, line)
            return self._quoted(line, text)
        return None

    def _quoted(self, first: Line, text: str) -> _Record | BadRow:
        """A quoted field may go on over several lines, up to a bound."""
        taken: list[Line] = []
        fields = self._split(text)
        while isinstance(fields, _Open) and len(taken) < MAX_RECORD_LINES:
            line = self.lines.take()
            if line is None:
                break
            taken.append(line)
            more = decode(line, self.encoding)
            if isinstance(more, BadRow):
                break
            text += "\n" + more
            if '"' in more:
                fields = self._split(text)
        if isinstance(fields, list):
            return _Record(first, fields, text, taken[-1] if taken else first)
        self.lines.give_back(taken)
        reason = "a quote opens in this row and never closes" if isinstance(fields, _Open) else str(fields)
        return bad_row(first, f"{reason}; double a quote that is part of the text, and close the field.")

    def _split(self, text: str) -> list[str] | _Open | str:
        try:
            return next(csv.reader([text], delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            return _Open() if "unexpected end of data" in str(error) else f"the quoting is wrong ({error})"


class _Open:
    """A quoted field whose end lies on a later line."""


@dataclass(frozen=True)
class _Columns:
    """``width`` is one more than the names where every row ends with a delimiter."""

    names: list[str]
    width: int
    origin: str = field(default="the header")


def _columns(reader: _Reader, options: Mapping[str, Any]) -> _Columns:
    expected = [str(name) for name in options.get("columns", ())]
    if not options.get("header", True):
        if not expected:
            raise FileFault("options_invalid", "a file without a header needs its columns in the topology.")
        _check_first_row(reader, expected)
        return _Columns(expected, len(expected), "the topology")
    record = reader.next_record()
    if record is None:
        raise FileFault("header_missing", "the file is empty; not even its header is there.")
    if isinstance(record, BadRow):
        raise FileFault("header_invalid", f"the header (line {record.number}) cannot be read: {record.reason}")
    names = [name.strip() for name in record.fields]
    _check_delimiter(reader, record, len(expected) or 2)
    width = len(names)
    if width > 1 and not names[-1]:
        names.pop()
    _check_header(names, expected)
    return _Columns(names, width)


def _check_first_row(reader: _Reader, expected: list[str]) -> None:
    line = reader.lines.take()
    if line is None:
        return
    reader.lines.give_back([line])
    text = decode(line, reader.encoding)
    if isinstance(text, str):
        _check_delimiter(reader, _Record(line, text.split(reader.delimiter), text, line), len(expected))


def _check_delimiter(reader: _Reader, record: _Record, expected: int) -> None:
    """One column where several should be, and another delimiter in it: the file is written with that one."""
    if len(record.fields) > 1 or expected < 2:
        return
    counts = {other: record.raw.count(other) for other in _DELIMITERS if other != reader.delimiter}
    likely = max(counts, key=lambda other: counts[other])
    if counts[likely]:
        raise FileFault(
            "delimiter_wrong",
            f"line {record.line.number} has one column when cut at {reader.delimiter!r}, and {counts[likely] + 1} at "
            f"{likely!r}; write the file with {reader.delimiter!r}, or set its delimiter in the topology.",
        )


def _check_header(names: list[str], expected: list[str]) -> None:
    if "" in names or len(set(names)) != len(names):
        twice = sorted({name for name in names if names.count(name) > 1 and name})
        what = f"names {', '.join(twice)} twice" if twice else "has a column without a name"
        raise FileFault("header_wrong", f"the header {what}.")
    if not expected or set(names) == set(expected):
        return
    missing = [name for name in expected if name not in names]
    unknown = [name[:80] for name in names if name not in expected]
    parts = [f"lacks {', '.join(missing)}"] if missing else []
    parts += [f"has the unknown {', '.join(unknown[:20])}"] if unknown else []
    raise FileFault("header_wrong", f"the header {' and '.join(parts)}; expected are: {', '.join(expected)}.")


def _rows(reader: _Reader, columns: _Columns, totals: Totals | None) -> Iterator[Row | BadRow]:
    while (record := reader.next_record()) is not None:
        if totals and isinstance(record, _Record) and record.fields[0].strip() == totals.marker:
            yield from _check_trailer(reader, record, totals)
            return
        row = record if isinstance(record, BadRow) else _row(record, columns)
        if totals:
            row = row if isinstance(record, BadRow) else totals.row_at_the_end(record.last, row)
            totals.add(row)
        yield row
    if totals:
        raise totals.missing()


def _row(record: _Record, columns: _Columns) -> Row | BadRow:
    fields = record.fields
    if len(fields) == columns.width == len(columns.names) + 1 and not fields[-1]:
        fields = fields[:-1]
    if len(fields) == len(columns.names):
        return Row(record.line.number, dict(zip(columns.names, fields, strict=True)), record.raw)
    reason = f"the row has {len(fields)} columns, {columns.origin} has {len(columns.names)}."
    return BadRow(record.line.number, None, reason, raw_text(record.raw.encode("utf-8")))


def _check_trailer(reader: _Reader, record: _Record, totals: Totals) -> Iterator[BadRow]:
    """Raises TrailerFault where it does not hold; where good rows are taken, tells each row that stands behind it."""

    def at(column: Any) -> str:
        if type(column) is not int or column < 1:
            raise FileFault("options_invalid", "a trailer's count must be the number of its column, from 1.")
        return record.fields[column - 1].strip() if column <= len(record.fields) else ""

    differences, behind = list(totals.check(at, totals.trailer.get("count", 2))), 0
    while (following := reader.next_record()) is not None:
        behind += 1
        if not takes_all_the_same({"trailer": totals.trailer}):
            break
        line = following.number if isinstance(following, BadRow) else following.line.number
        reason = "it stands behind the trailer, and is not taken; send it in a file of its own."
        yield BadRow(line, None, reason, raw_text(following.raw.encode("utf-8")))
    if differences:
        raise totals.wrong(differences)
    if behind:
        raise totals.behind(behind, record.line.number)
