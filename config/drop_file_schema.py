"""What the topology may say about dropped files: their columns, or their layout."""

from __future__ import annotations

import codecs
from collections.abc import Collection, Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from config.completeness_schema import FileNumberSchema, Place
from config.option_blocks import Options
from config.reconcile_schema import BalancesSchema, check_balances_file
from config.strict_schema import (
    Block,
    Blocks,
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


class SumSchema(StrictSchema):
    column = Text(max_characters=80, mend="name the column that is added up: good_qty", required=True)


class CsvSumSchema(SumSchema):
    at = Number(1, 10_000, whole=True, required=True)


class FixedWidthSumSchema(SumSchema):
    at = Place(mend="say where the sum stands: [10, 15]", required=True)


class TrailerSchema(StrictSchema):
    marker = Text(max_characters=80, mend="give the text that the last line begins with, such as TRL", required=True)
    decimal = Choice(".", ",")
    when_wrong = Choice("refuse", "take")


class CsvTrailerSchema(TrailerSchema):
    count = Number(1, 10_000, whole=True)
    sums = Blocks(CsvSumSchema, at_least=1, mend="list sums: [{column: good_qty, at: 3}]")


class FixedWidthTrailerSchema(TrailerSchema):
    count = Place(mend="say where the number of rows stands: [4, 10]", required=True)
    sums = Blocks(FixedWidthSumSchema, at_least=1, mend="list sums: [{column: quantity, at: [10, 15]}]")


class CsvFileOptions(StrictSchema):
    delimiter = FileDelimiter()
    encoding = FileEncoding()
    header = Flag()
    columns = Many(column(), at_least=1, mend="name the columns in order: [record_no, item_no, ...]", required=True)
    trailer = Block(CsvTrailerSchema)
    id = Many(column(), at_least=1, mend="name the columns that tell one row from another: [record_no]")

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def know_the_id_columns(self, data: Mapping[str, Any], original: Mapping[str, Any], **_: Any) -> None:
        _check_named_columns(original, _texts(original.get("columns")))


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
        _check_named_columns(original, _texts([line[0] for line in lines if isinstance(line, list) and line]))


def _check_named_columns(original: Mapping[str, Any], columns: Mapping[int, str]) -> None:
    """Told whatever else is wrong with the block; where it names no column at all, that is told instead."""
    known = columns.values()
    trailer = original.get("trailer")
    trailer = trailer if isinstance(trailer, dict) else {}
    sums = trailer.get("sums")
    summed = [block.get("column") for block in sums if isinstance(block, dict)] if isinstance(sums, list) else []
    errors: dict[str, Any] = {}
    if unknown := _unknown(_texts(original.get("id")), known):
        errors["id"] = unknown
    if unknown := _unknown(_texts(summed), known):
        errors["trailer"] = {"sums": {index: {"column": problem} for index, problem in unknown.items()}}
    if trailer.get("when_wrong") == "take" and not original.get("id"):
        reason = "without `id` the rows of a file that is sent again, mended, would be taken twice"
        mend = "name the columns that tell one row from another in `options.id`, or write refuse"
        errors.setdefault("trailer", {})["when_wrong"] = [Problem(reason, mend)]
    if errors:
        raise ValidationError(errors)


def _unknown(names: Mapping[int, str], known: Collection[str]) -> dict[int, list[Problem]]:
    return {
        index: [Problem(f"{name!r} is no column of this file", nearest(name, list(known)))]
        for index, name in names.items()
        if known and name not in known
    }


def _texts(value: Any) -> Mapping[int, str]:
    """The texts of a list, each by its index; what else is there is its field's business."""
    return {index: text for index, text in enumerate(value) if isinstance(text, str)} if isinstance(value, list) else {}


class DocumentFileOptions(StrictSchema):
    content_type = Text(r"[a-z]+/[a-z0-9.+-]+", max_characters=80, mend="give a media type such as application/xml")


class NoFileOptions(StrictSchema):
    """For formats that say everything in the file itself."""


FILE_OPTIONS: Mapping[str, type[StrictSchema]] = {
    "csv": CsvFileOptions,
    "fixed_width": FixedWidthFileOptions,
    "document": DocumentFileOptions,
    "idoc": NoFileOptions,
    "edifact": NoFileOptions,
    "x12": NoFileOptions,
    "epcis": NoFileOptions,
}
# Formats whose messages say themselves of what kind they are.
SORTED_FORMATS = frozenset({"idoc", "edifact", "x12"})
ROW_FORMATS = frozenset({"csv", "fixed_width"})


class DropFileSchema(StrictSchema):
    pattern = Text(
        r"[^/\\]+",
        max_characters=200,
        mend='give a file name pattern such as "CONF*.csv", without folders',
        required=True,
    )
    type = Text(mend="give the type that the mapping knows, such as legacy.confirmation")
    types = Many(Text(), at_least=1, mend="list the types that the mapping knows: [edifact.ORDERS, edifact.DESADV]")
    format = Choice(
        *FILE_OPTIONS,
        mend="give csv, fixed_width, idoc, edifact, x12, epcis, or document for a file that is one message",
        required=True,
    )
    options = Options(mend="describe the file: columns for csv, layout for fixed_width")
    file_number = Block(FileNumberSchema)
    balances = Block(BalancesSchema)

    @validates_schema(pass_original=True, skip_on_field_errors=False)
    def say_of_which_type(self, data: Mapping[str, Any], original: Any, **_: Any) -> None:
        given = original if isinstance(original, Mapping) else {}
        if "type" not in given and "types" not in given:
            mend = "give the type that the mapping knows, such as legacy.confirmation"
            raise ValidationError({"type": [Problem("it is missing", mend)]})
        if "types" in given and data.get("format", "idoc") not in SORTED_FORMATS:
            mend = f"give one `type`; {', '.join(sorted(SORTED_FORMATS))} have messages of several"
            raise ValidationError({"types": [Problem("the messages of this format do not say of which type", mend)]})
        if "type" in given and "types" in given:
            raise ValidationError({"types": [Problem("there is a `type` as well", "remove one of the two")]})

    @validates_schema(skip_on_field_errors=True)
    def be_whole_balances(self, data: Mapping[str, Any], **_: Any) -> None:
        check_balances_file(data)

    @validates_schema(skip_on_field_errors=False)
    def check_the_formats_options(self, data: Mapping[str, Any], **_: Any) -> None:
        if "format" not in data:
            return
        if "options" not in data and data["format"] in ROW_FORMATS:
            mend = "describe the file: columns for csv, layout for fixed_width"
            raise ValidationError({"options": [Problem("it is missing", mend)]})
        if errors := FILE_OPTIONS[data["format"]]().validate(data.get("options", {})):
            raise ValidationError({"options": errors})

    @validates_schema(skip_on_field_errors=True)
    def know_where_the_number_stands(self, data: Mapping[str, Any], **_: Any) -> None:
        number, is_csv, options = data.get("file_number", {}), data["format"] == "csv", data.get("options", {})
        if "header" in number and (data["format"] != "fixed_width" or not options.get("header")):
            mend = "write `header: true` in the options of a fixed_width file, or give name or trailer"
            raise ValidationError({"file_number": {"header": [Problem("this file has no header to hold it", mend)]}})
        if "trailer" not in number:
            return
        if "trailer" not in options:
            problem = Problem("this file has no trailer", "describe it in `options.trailer`, or give name")
            raise ValidationError({"file_number": {"trailer": [problem]}})
        place = Number(1, 10_000, whole=True) if is_csv else Place()
        try:
            number["trailer"] = place.check(number["trailer"])
        except ValidationError as error:
            raise ValidationError({"file_number": {"trailer": error.messages}}) from None
