"""The number that a dropped file has in its source's count: in its name, or on its first or last line."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Mapping
from typing import Any, BinaryIO

from mappings.formats.lines import MAX_LINE_BYTES

_BLANK = b" \t\r\n\x1a\0"


def in_name(name: str, pattern: str) -> str | None:
    """What the group ``number`` of the pattern finds in the whole name."""
    found = re.fullmatch(pattern, name)
    return None if found is None else found["number"]


def in_header(stream: BinaryIO, place: tuple[int, int], encoding: str) -> str:
    stream.seek(0)
    return _at(stream.readline(MAX_LINE_BYTES), place, encoding)


def in_trailer(stream: BinaryIO, options: Mapping[str, Any], place: Any) -> str | None:
    """What stands at the place on the last line that is not blank; None where that line is no trailer."""
    line = last_line(stream)
    encoding, marker = str(options.get("encoding", "utf-8")), str(options["trailer"]["marker"])
    text = line.decode(encoding, "replace")
    if isinstance(place, int):
        spelled = str(options.get("delimiter", ","))
        try:
            fields = next(csv.reader([text], delimiter={"tab": "\t", "\\t": "\t"}.get(spelled, spelled)), [])
        except csv.Error:
            return None
        return fields[place - 1].strip() if fields and fields[0].strip() == marker and place <= len(fields) else None
    return _at(line, place, encoding) if text.startswith(marker) else None


def last_line(stream: BinaryIO) -> bytes:
    """The last line that is not blank, read from the file's end, whatever its size."""
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - 2 * MAX_LINE_BYTES))
    lines = stream.read().strip(_BLANK).splitlines()
    return lines[-1] if lines else b""


def _at(line: bytes, place: tuple[int, int], encoding: str) -> str:
    first, width = place
    return line.decode(encoding, "replace")[first - 1 : first - 1 + width].strip()
