"""What the topology may say about a system that reads dropped files; docs/topology.md explains each key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, validates_schema

from app.adapters.http_json_options import OF_A_POSTING, Template, dotted_path
from config.drop_file_schema import Layout
from config.strict_schema import Choice, Delimiter, Encoding, Flag, Many, Number, Problem, StrictSchema, Text

DIRECTORY = "give an absolute path"


class FileName(Template):
    """A file name that differs from posting to posting, so that no document can take another's place."""

    def __init__(self, **kwargs: Any) -> None:
        mend = 'write for example "{kind}-{posting_key}.csv", without folders'
        super().__init__(OF_A_POSTING, pattern=r"[^/\\.][^/\\]*", max_characters=120, mend=mend, **kwargs)

    def check(self, value: Any) -> str:
        name = super().check(value)
        if "{posting_key}" not in name:
            raise ValidationError([Problem("two documents would get the same name", "put {posting_key} into it")])
        return name


def column(**kwargs: Any) -> Text:
    return Text(max_characters=80, mend="give the column a name", **kwargs)


def suffix(**kwargs: Any) -> Text:
    return Text(r"\.[A-Za-z0-9][A-Za-z0-9._-]*", max_characters=20, mend="give an ending such as .err", **kwargs)


_CSV, _FIXED_WIDTH, _ROWS = ("csv",), ("fixed_width",), ("csv", "fixed_width")
# The keys that only some formats have, and which.
_FORMS_OF: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("delimiter", "header", "columns", "guard_formulas"), _CSV),
    **dict.fromkeys(("layout", "right"), _FIXED_WIDTH),
    **dict.fromkeys(("rows", "line_end", "negate"), _ROWS),
}


class FileOptions(StrictSchema):
    name = FileName(required=True)
    format = Choice("csv", "fixed_width", "text", mend="give csv, fixed_width or text", required=True)
    directory = Text(r"/.+", mend=DIRECTORY)
    archive_dir = Text(r"/.+", mend=DIRECTORY)
    ack_dir = Text(r"/.+", mend=DIRECTORY)
    acknowledged = Flag()
    ack_suffix = suffix()
    error_suffix = suffix()
    ack_settle_seconds = Number(0, 600)
    answers = Choice("keep", "delete")
    rows = dotted_path()
    encoding = Encoding()
    line_end = Choice("crlf", "lf")
    delimiter = Delimiter()
    header = Flag()
    columns = Many(column(), at_least=1, mend="name the columns in order: [order_id, item, quantity]")
    guard_formulas = Flag()
    layout = Layout(mend="write one `- [name, first column, width]` a column")
    right = Many(column())
    negate = Many(column())

    @validates_schema
    def tell_answers_apart(self, data: Mapping[str, Any], **_: Any) -> None:
        if data.get("ack_suffix", ".ack") == data.get("error_suffix", ".err"):
            mend = "give error files and acknowledgements endings of their own"
            raise ValidationError({"error_suffix": [Problem("it is the ending of acknowledgements as well", mend)]})

    @validates_schema
    def fit_the_format(self, data: Mapping[str, Any], **_: Any) -> None:
        form = data["format"]
        found = {
            key: [Problem(f"{form} has no {key!r}", "remove it")]
            for key, forms in _FORMS_OF.items()
            if key in data and form not in forms
        }
        if form == "fixed_width" and "layout" not in data:
            found["layout"] = [Problem("it is missing", "write one `- [name, first column, width]` a column")]
        if found:
            raise ValidationError(found)
