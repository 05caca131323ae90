"""What the topology may say about dropped files: their columns, or their layout."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.option_blocks import Options
from config.strict_schema import (
    Block,
    Checked,
    Choice,
    Delimiter,
    Encoding,
    Flag,
    Many,
    Number,
    Problem,
    StrictSchema,
    Text,
    fail,
    nearest,
)


def column(**kwargs: Any) -> Text:
    return Text(max_characters=80, mend="give the column a name", **kwargs)


class Layout(Checked):
    """``[name, first column, width]`` lines: columns count from 1 and do not overlap."""

    def check(self, value: Any) -> tuple[tuple[str, int, int], ...]:
        if not isinstance(value, list) or not value:
            raise fail("the layout names no column", "write one `- [name, first column, width]` a column")
        found: dict[int, list[Problem]] = {}
        columns: list[tuple[str, int, int]] = []
        for index, entry in enumerate(value):
            problem = _layout_problem(entry, columns)
            if problem:
                found[index] = [problem]
            else:
                columns.append((entry[0], entry[1], entry[2]))
        if found:
            raise ValidationError(found)
        return tuple(columns)


def _layout_problem(entry: Any, before: list[tuple[str, int, int]]) -> Problem | None:
    whole = isinstance(entry, list) and len(entry) == 3 and isinstance(entry[0], str)
    if not whole or any(not isinstance(number, int) or isinstance(number, bool) for number in entry[1:]):
        return Problem("this is no [name, first column, width]", "write for example [item_no, 14, 18]")
    name, first, width = entry
    if not 1 <= first <= 10_000 or not 1 <= width <= 10_000:
        return Problem(f"column {name!r} has a place that cannot be", "columns count from 1, and a width is at least 1")
    for other, start, size in before:
        if other == name:
            return Problem(f"column {name!r} stands here twice", "rename one of the two")
        if first < start + size and start < first + width:
            return Problem(
                f"{name!r} ({first} to {first + width - 1}) overlaps {other!r} ({start} to {start + size - 1})",
                f"let {name!r} begin at {start + size}, or make {other!r} narrower",
            )
    return None


# By Python's own names for them. In each a line end is one byte, so that a file is cut into lines before decoding.
FILE_ENCODINGS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1250", "cp1252", "cp437", "cp850"})


class FileEncoding(Encoding):
    def check(self, value: Any) -> str:
        name = super().check(value)
        if codecs.lookup(name).name not in FILE_ENCODINGS:
            raise fail(f"dropped files are not read in {name!r}", nearest(name, FILE_ENCODINGS))
        return name


class FileDelimiter(Delimiter):
    def check(self, value: Any) -> str:
        return "tab" if value == "tab" else super().check(value)


class CsvTrailerSchema(StrictSchema):
    marker = Text(max_characters=80, mend="give the text that the last line begins with, such as TRL", required=True)
    count = Number(1, 10_000, whole=True)


class Place(Checked):
    """``[first column, width]`` on a fixed-width line."""

    def check(self, value: Any) -> tuple[int, int]:
        if not isinstance(value, list) or len(value) != 2 or _layout_problem(["count", *value], []):
            raise fail("this is no [first column, width]", "write for example [4, 10]")
        return value[0], value[1]


class FixedWidthTrailerSchema(StrictSchema):
    marker = Text(max_characters=80, mend="give the text that the last line begins with, such as TRL", required=True)
    count = Place(mend="say where the number of rows stands: [4, 10]", required=True)


class CsvFileOptions(StrictSchema):
    delimiter = FileDelimiter()
    encoding = FileEncoding()
    header = Flag()
    columns = Many(column(), at_least=1, mend="name the columns in order: [record_no, item_no, ...]", required=True)
    trailer = Block(CsvTrailerSchema)
    id = Many(column(), at_least=1, mend="name the columns that tell one row from another: [record_no]")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def know_the_id_columns(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        _check_id_columns(original, _texts(original.get("columns")))


class FixedWidthFileOptions(StrictSchema):
    encoding = FileEncoding()
    header = Flag()
    trimmed = Flag()
    layout = Layout(mend="write one `- [name, first column, width]` a column", required=True)
    trailer = Block(FixedWidthTrailerSchema)
    id = Many(column(), at_least=1, mend="name the columns that tell one row from another: [record_no]")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def know_the_id_columns(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        layout = original.get("layout")
        lines = layout if isinstance(layout, list) else []
        _check_id_columns(original, _texts([line[0] for line in lines if isinstance(line, list) and line]))


def _check_id_columns(original: Mapping[str, Any], columns: Mapping[int, str]) -> None:
    """Told whatever else is wrong with the block; where it names no column at all, that is told instead."""
    known = columns.values()
    unknown = {
        index: [Problem(f"{name!r} is no column of this file", nearest(name, list(known)))]
        for index, name in _texts(original.get("id")).items()
        if known and name not in known
    }
    if unknown:
        raise ValidationError({"id": unknown})


def _texts(value: Any) -> Mapping[int, str]:
    """The texts of a list, each by its index; what else is there is its field's business."""
    return {index: text for index, text in enumerate(value) if isinstance(text, str)} if isinstance(value, list) else {}


FILE_OPTIONS: Mapping[str, type[StrictSchema]] = {"csv": CsvFileOptions, "fixed_width": FixedWidthFileOptions}


class DropFileSchema(StrictSchema):
    pattern = Text(
        r"[^/\\]+",
        max_characters=200,
        mend='give a file name pattern such as "CONF*.csv", without folders',
        required=True,
    )
    type = Text(mend="give the type that the mapping knows, such as legacy.confirmation", required=True)
    format = Choice(*FILE_OPTIONS, mend="give csv or fixed_width", required=True)
    options = Options(mend="describe the file: columns for csv, layout for fixed_width", required=True)

    @validates_schema(skip_on_field_errors=False)
    def check_the_formats_options(self, data: Mapping[str, Any], **_: Any) -> None:
        if "format" in data and "options" in data:
            errors = FILE_OPTIONS[data["format"]]().validate(data["options"])
            if errors:
                raise ValidationError({"options": errors})
