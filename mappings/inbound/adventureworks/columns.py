"""How exports of these tables write codes, quantities and times."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, fields

from mappings.canonical.fields import ERROR_TEXTS, Sign
from mappings.context import InboundContext
from mappings.inbound.payload import amount, load, wrong
from mappings.inbound.plant_time import from_iso, from_pattern

PIECE = "EA"
"""Every quantity of these tables is of pieces; weights and sizes describe an item and count no stock."""

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?|\.[0-9]+", re.ASCII)
_BEGINS_WITH_YEAR = re.compile(r"[0-9]{4}-", re.ASCII)


class Column(fields.String):
    """Text as it stood in the file; blanks around it are padding."""

    default_error_messages = {**ERROR_TEXTS, "invalid": "must be text"}


def read_row(schema: Schema, payload: Any) -> dict[str, str]:
    """The row's columns. A database client writes ``NULL`` where another leaves the column empty: both are nothing."""
    stripped = {name: text.strip() for name, text in load(schema, payload).items()}
    return {name: "" if text == "NULL" else text for name, text in stripped.items()}


def needed(row: Mapping[str, str], name: str) -> str:
    if not row[name]:
        raise wrong("payload_invalid", f"{name} is empty", name)
    return row[name]


def quantity(row: Mapping[str, str], name: str, context: InboundContext, sign: Sign = "not_negative") -> dict[str, str]:
    """``12``, ``12.00`` or ``.0000``. A comma could mean two things, and no table counts below zero:
    both are refused."""
    text = needed(row, name)
    if not _NUMBER.fullmatch(text):
        raise wrong("quantity_invalid", f"{name} is {text[:40]!r}; it is written like 12 or 12.00, never below 0", name)
    return amount(text if text[0] != "." else f"0{text}", PIECE, context, name, sign)


def moment(row: Mapping[str, str], name: str, context: InboundContext) -> str:
    """``25-05-2021`` is the day's beginning, ``2021-05-25 14:05:00.000`` as it stands, both by the plant's clock.
    What a spreadsheet left of a time (``00:00.0``) is refused: no date can be made of it."""
    text = needed(row, name)
    if _BEGINS_WITH_YEAR.match(text):
        return from_iso(text, context.plant, name)
    return from_pattern(text, "%d-%m-%Y", "31-01-2026 or 2026-01-31 14:05:00.000", context.plant, name)
