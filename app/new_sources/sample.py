"""What a sample looks like: its form, and the values of each of its fields."""

from __future__ import annotations

import codecs
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

from app.mapping_changes.masking import xml_as_text
from mappings.context import MappingError
from mappings.formats import delimited, fixed_width, json_body, xml_record
from mappings.formats.lines import BadRow, Row

Format = Literal["csv", "fixed_width", "json", "xml"]
Path = tuple[str, ...]

ROWS_MOST = 500
FIELDS_MOST = 400
NAME_CHARACTERS = 60
_DELIMITERS = (";", "\t", "|", ",")
_SPELLED = {"\t": "tab"}


class SampleUnusable(Exception):
    """The sample cannot be read as that format; the text says where and what to do."""


@dataclass
class Field:
    """``path``: the keys that lead to it. ``list_path``: those of the list that it stands in, which it does once per
    member; None where it stands in none. ``values``: as they are, blank ones too, in the order of the sample."""

    path: Path
    list_path: Path | None = None
    values: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        return ".".join(self.path)

    def texts(self) -> list[str]:
        """Those that are not blank."""
        return [text for value in self.values if (text := str(value).strip())]


@dataclass(frozen=True)
class Sample:
    """``records``: the payloads that the sample would become, as the mapping's reader gives them; ``bodies`` as they
    are sent. ``options`` describe the file to the intake; ``notes`` what was guessed of its form."""

    format: Format
    records: Sequence[Any]
    bodies: Sequence[bytes]
    fields: Sequence[Field]
    options: Mapping[str, Any]
    notes: tuple[str, ...] = ()


def read_sample(body: bytes, form: Format) -> Sample:
    """Raises SampleUnusable."""
    if not body.strip():
        raise SampleUnusable("The sample is empty.")
    try:
        return {"csv": _read_csv, "fixed_width": _read_fixed_width, "json": _read_json, "xml": _read_xml}[form](body)
    except MappingError as error:
        place = f" ({error.field})" if error.field else ""
        raise SampleUnusable(f"The sample cannot be read as {form}: {error.reason}{place}") from None


def _read_csv(body: bytes) -> Sample:
    encoding, notes = _encoding(body)
    first = body.decode(encoding).lstrip("\ufeff").splitlines()[0]
    counts = {delimiter: first.count(delimiter) for delimiter in _DELIMITERS}
    delimiter = max(_DELIMITERS, key=lambda each: counts[each])
    if not counts[delimiter]:
        raise SampleUnusable("No ; , | or tab stands in the first line; is it fixed_width?")
    names = [name.strip().strip('"') for name in first.split(delimiter)]
    if any(_is_number(name) for name in names) or len(set(names)) != len(names):
        raise SampleUnusable(
            "The first line names no columns; put one above it that does, such as order;item;quantity."
        )
    options: dict[str, Any] = {"delimiter": _SPELLED.get(delimiter, delimiter), "encoding": encoding}
    options["columns"] = [name for name in names if name]
    return _of_rows("csv", delimited.open_rows(io.BytesIO(body), options), options, notes)


def _read_fixed_width(body: bytes) -> Sample:
    """Columns are parted where every line has blanks; the names are for a person to change."""
    encoding, notes = _encoding(body)
    lines = [line for line in body.decode(encoding).lstrip("\ufeff").splitlines() if line.strip()][:ROWS_MOST]
    width = max(map(len, lines))
    blank = [all(len(line) <= place or line[place] == " " for line in lines) for place in range(width)]
    starts = [place for place in range(width) if not blank[place] and (place == 0 or blank[place - 1])]
    if len(starts) < 2:
        raise SampleUnusable("No column can be told from another; the sample needs lines with blanks between them.")
    header = [lines[0][a:b].strip() for a, b in zip(starts, [*starts[1:], width], strict=True)]
    has_header = len(lines) > 1 and all(name and not any(map(str.isdigit, name)) for name in header)
    names = (
        header if has_header and len(set(header)) == len(header) else [f"column_{n + 1}" for n in range(len(starts))]
    )
    layout = [[name, a + 1, b - a] for name, a, b in zip(names, starts, [*starts[1:], width], strict=True)]
    options: dict[str, Any] = {"encoding": encoding, "layout": layout}
    options |= {"header": True} if has_header else {}
    options |= {"trimmed": True} if any(len(line) < width for line in lines) else {}
    notes = [*notes, "where the columns begin and end is guessed from the blanks between them"]
    return _of_rows("fixed_width", fixed_width.open_rows(io.BytesIO(body), options), options, notes)


def _of_rows(form: Format, rows: Iterator[Row | BadRow], options: Mapping[str, Any], notes: Sequence[str]) -> Sample:
    good: list[dict[str, str]] = []
    for row in islice(rows, ROWS_MOST):
        if isinstance(row, BadRow):
            raise SampleUnusable(f"Line {row.number} of the sample: {row.reason}")
        good.append(row.values)
    if not good:
        raise SampleUnusable("The sample has no row.")
    fields = [Field((name,), None, [row[name] for row in good]) for name in good[0]]
    bodies = [json.dumps(row, ensure_ascii=False, indent=2).encode() for row in good]
    return Sample(form, good, bodies, _bounded(fields), options, tuple(notes))


def _read_json(body: bytes) -> Sample:
    value = json_body.read(body)
    if isinstance(value, list):
        raise SampleUnusable("The sample is a list; a message is one object: give a sample with one of them.")
    if not isinstance(value, dict):
        raise SampleUnusable("The sample is no JSON object.")
    return Sample("json", [value], [body], _bounded(_fields_of(value)), {})


def _read_xml(body: bytes) -> Sample:
    value = xml_record.read(body)
    return Sample("xml", [value], [xml_as_text(body).encode()], _bounded(_fields_of(value)), {})


def _fields_of(record: Mapping[str, Any]) -> list[Field]:
    found: dict[Path, Field] = {}
    for path, list_path, value in _walk(record, (), None):
        found.setdefault(path, Field(path, list_path)).values.append(value)
    return list(found.values())


def _walk(value: Any, path: Path, list_path: Path | None) -> Iterator[tuple[Path, Path | None, Any]]:
    """Lists of texts, and lists within lists, are passed over: what belongs to what there is more than a guess."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, (*path, key), list_path)
    elif isinstance(value, list):
        members = [inner for inner in value if isinstance(inner, Mapping)]
        for inner in members[:ROWS_MOST] if list_path is None else ():
            yield from _walk(inner, path, path)
    elif value is not None and not isinstance(value, bool):
        yield path, list_path, value


def _bounded(fields: list[Field]) -> list[Field]:
    if len(fields) > FIELDS_MOST:
        raise SampleUnusable(f"The sample has {len(fields)} fields, more than {FIELDS_MOST}.")
    for each in fields:
        long = next((key for key in each.path if len(key) > NAME_CHARACTERS or not key.isprintable()), None)
        if long is not None:
            raise SampleUnusable(
                f"The name {long[:40]!r} has more than {NAME_CHARACTERS} characters, or unprintable ones."
            )
    return fields


def _encoding(body: bytes) -> tuple[str, list[str]]:
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise SampleUnusable("The sample is in UTF-16; files are read in utf-8, latin-1, cp1252 and the like.")
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252", ["the encoding is guessed: it is not UTF-8"]
    return "utf-8", []


def _is_number(text: str) -> bool:
    return bool(text) and text.replace(",", "").replace(".", "").isdigit()


def distinct(texts: Sequence[str]) -> list[str]:
    """Each text once, the commonest first."""
    return [text for text, _ in Counter(texts).most_common()]
