"""One document as the text of a drop file. Whatever does not fit is refused; nothing is cut off or guessed."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.adapters.base import Document
from app.adapters.json_answers import MISSING, pick
from app.errors import Refused

MAX_ROWS = 100_000
REVERSAL_OF = "reversal_of"
# A spreadsheet takes text that begins so for a formula, and runs it.
_FORMULA_START = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")

Row = Mapping[str, str]


def rows_of(document: Document, options: Mapping[str, Any]) -> list[Row]:
    """The rows that the document holds under ``rows`` (``rows`` itself where nothing is named), or itself as one."""
    found = pick(document, options.get("rows", "rows"))
    if found is MISSING and "rows" not in options:
        found = [document]
    if not isinstance(found, list) or not found or not all(isinstance(row, Mapping) for row in found):
        raise Refused("document_has_no_rows", "the document has no list of rows to write", options.get("rows", "rows"))
    if len(found) > MAX_ROWS:
        raise Refused("too_many_rows", f"the document has more than {MAX_ROWS:,} rows", options.get("rows", "rows"))
    return [{name: _text(name, value) for name, value in row.items()} for row in found]


def reversed_rows(rows: Sequence[Row], options: Mapping[str, Any], original: str) -> list[Row]:
    """The rows that undo these: the named amounts negated, and in a column for it the file that they undo."""
    negate = options.get("negate", ())
    if not negate and not _has_column(options, REVERSAL_OF):
        reason = f"a reversal would look like the original: add a column {REVERSAL_OF!r}, or name amounts in `negate`"
        raise Refused("reversal_not_possible", reason)
    return [
        {**row, **{name: _negated(name, row[name]) for name in negate if row.get(name)}, REVERSAL_OF: original}
        for row in rows
    ]


def file_text(rows: Sequence[Row], options: Mapping[str, Any]) -> bytes:
    """The file's bytes; raises Refused naming the column whose value does not fit."""
    write = _csv_text if options["format"] == "csv" else _fixed_width_text
    return encoded(write(rows, options), options)


def encoded(text: str, options: Mapping[str, Any]) -> bytes:
    """Raises Refused naming the line and the character that the encoding lacks."""
    encoding = options.get("encoding", "utf-8")
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        character = text[error.start]
        raise Refused("not_encodable", f"line {line}: {character!r} does not exist in {encoding}") from None


def _has_column(options: Mapping[str, Any], name: str) -> bool:
    """csv without named columns writes whatever the rows hold, so it has a column for everything."""
    if options["format"] == "csv":
        return "columns" not in options or name in options["columns"]
    return any(column == name for column, _, _ in options["layout"])


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, (str, int)):
        return str(value)
    raise Refused(
        "value_not_flat", f"column {name!r} holds a {type(value).__name__}, and a row takes plain values", name
    )


def _negated(name: str, value: str) -> str:
    if not _NUMBER.fullmatch(value):
        raise Refused("not_a_number", f"column {name!r} holds {value!r}, which cannot be negated", name)
    return value[1:] if value.startswith("-") else "-" + value.removeprefix("+")


def _line_end(options: Mapping[str, Any]) -> str:
    return "\n" if options.get("line_end") == "lf" else "\r\n"


def _csv_text(rows: Sequence[Row], options: Mapping[str, Any]) -> str:
    columns = options.get("columns") or list(dict.fromkeys(name for row in rows for name in row))
    guard = options.get("guard_formulas", True)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=options.get("delimiter", ","), lineterminator=_line_end(options))
    if options.get("header", True):
        writer.writerow(columns)
    for row in rows:
        values = [row.get(name, "") for name in columns]
        writer.writerow([_guarded(value) if guard else value for value in values])
    return out.getvalue()


def _guarded(value: str) -> str:
    is_formula = value.startswith(_FORMULA_START) and not _NUMBER.fullmatch(value)
    return "'" + value if is_formula else value


def _fixed_width_text(rows: Sequence[Row], options: Mapping[str, Any]) -> str:
    layout = sorted(options["layout"], key=lambda column: column[1])
    right = options.get("right", ())
    return "".join(_fixed_width_line(row, layout, right) + _line_end(options) for row in rows)


def _fixed_width_line(row: Row, layout: Sequence[Sequence[Any]], right: Sequence[str]) -> str:
    line = ""
    for name, first, width in layout:
        value = row.get(name, "")
        if len(value) > width:
            raise Refused("value_too_long", f"column {name!r} takes {width} characters, and {value!r} is longer", name)
        if not value.isprintable():
            raise Refused("value_not_printable", f"column {name!r} holds a control character", name)
        line = line.ljust(first - 1) + (value.rjust(width) if name in right else value.ljust(width))
    return line
