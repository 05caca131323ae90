"""How the legacy system writes numbers, codes and times."""

from __future__ import annotations

import re
from collections.abc import Mapping

from marshmallow import fields

from mappings.canonical.fields import ERROR_TEXTS
from mappings.context import InboundContext
from mappings.inbound.payload import amount, wrong
from mappings.inbound.plant_time import from_pattern

_NUMBER = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]+|[0-9]+(,[0-9]+)?", re.ASCII)


class Column(fields.String):
    """Text as it stood in the file; blanks around it are padding."""

    default_error_messages = {**ERROR_TEXTS, "invalid": "must be text"}


def words(row: Mapping[str, str]) -> dict[str, str]:
    return {name: text.strip() for name, text in row.items()}


def needed(row: Mapping[str, str], name: str) -> str:
    if not row[name]:
        raise wrong("payload_invalid", f"{name} is empty", name)
    return row[name]


def number(row: Mapping[str, str], name: str) -> str:
    """``1.250,500`` as ``1250.500``; empty is zero. A point without a comma behind it could mean either, so it is
    refused, as is a minus: a reversal is a movement of its own."""
    text = row[name]
    if not text:
        return "0"
    if not _NUMBER.fullmatch(text) or len(text) > 40:
        raise wrong("quantity_invalid", f"{name} is {text[:40]!r}; it is written like 1250,5 and never below 0", name)
    return text.replace(".", "").replace(",", ".")


def quantity(row: Mapping[str, str], name: str, context: InboundContext) -> dict[str, str]:
    return amount(number(row, name), needed(row, "unit"), context, name, "not_negative")


def unpadded(code: str) -> str:
    """Numbers are padded to their column's width with zeros; codes with letters are not."""
    return code.lstrip("0") or "0" if code.isascii() and code.isdigit() else code


def day_and_time(row: Mapping[str, str], day: str, time: str, context: InboundContext) -> str:
    """``31.01.2026`` and ``140500``; spreadsheets drop a leading zero of the time, and it is put back."""
    clock = row[time].zfill(6) if len(row[time]) == 5 else row[time]
    return from_pattern(f"{row[day]} {clock}", "%d.%m.%Y %H%M%S", "31.01.2026 140500", context.plant, day)


def stamp(row: Mapping[str, str], name: str, context: InboundContext) -> str:
    return from_pattern(row[name], "%Y%m%d%H%M%S", "20260131140500", context.plant, name)
