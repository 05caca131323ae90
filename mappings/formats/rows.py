"""One row of a dropped file, as the intake stores it: a JSON object of column names and their text."""

from __future__ import annotations

from mappings.context import Deviations, MappingError
from mappings.formats import json_body


def read(body: bytes, deviations: Deviations | None = None) -> dict[str, str]:
    """The row's columns; raises MappingError where the body is no such object."""
    value = json_body.read(body, deviations)
    if not isinstance(value, dict):
        raise MappingError("row_invalid", "a row must be an object of column names and texts.")
    for column, text in value.items():
        if not isinstance(text, str):
            raise MappingError("row_invalid", "a column must hold text, as it stood in the file.", column[:80])
    return value
