"""What a file on this machine is, when it is sent as a body: by its name, and a CloudEvent by its content."""

from __future__ import annotations

import json
from pathlib import PurePath

from app.web.bodies import BATCH, STRUCTURED

KINDS = {".json": "application/json", ".xml": "application/xml", ".csv": "text/csv", ".txt": "text/plain"}


class NameSaysNothing(Exception):
    """The file's ending is none that says what it is."""


def content_type_of(name: str, body: bytes) -> str:
    """The media type of a file of this name; raises NameSaysNothing with the endings that are known."""
    kind = KINDS.get(PurePath(name).suffix.lower())
    if kind is None:
        raise NameSaysNothing(f"{name} does not say what it is; name it {', '.join('*' + ending for ending in KINDS)}.")
    if kind != "application/json":
        return kind
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return kind  # whoever reads it says where it is wrong
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, dict) and "specversion" in first:
        return BATCH if isinstance(value, list) else STRUCTURED
    return kind
