"""What written EDIFACT and X12 share: control numbers, local times, units, and texts that fit their element.

Everything follows from the event and the posting key, so that a repeat writes the same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from mappings.context import MappingError, OutboundContext
from mappings.options import UNITS

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
REFERENCE_CHARACTERS = 14
_CONTROL_NUMBERS = 999_999_999


@dataclass(frozen=True)
class ShippedGoods:
    """A line of a shipment, where it stands in the event, and the package that it is in."""

    path: str
    line: Mapping[str, Any]


def reference(posting_key: str, purpose: str) -> str:
    """A reference of 14 letters and digits (EDIFACT 0020), of its own for each posting and purpose."""
    number = _number(posting_key, purpose)
    return "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(REFERENCE_CHARACTERS))


def control_number(posting_key: str, purpose: str) -> int:
    """A number of at most nine digits (X12 I12), more than zero. Two postings of some ten thousand may share one by
    chance; the shipment's own number tells them apart."""
    return 1 + _number(posting_key, purpose) % _CONTROL_NUMBERS


def _number(posting_key: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose}:{posting_key}".encode()).digest()[:16], "big")


def needed_option(context: OutboundContext, name: str, most: int) -> str:
    """A mapping option of the target that must be there; raises MappingError with the mend."""
    value = str(context.options.get(name) or "")
    if not 1 <= len(value) <= most:
        told = f"target {context.target} needs the mapping option {name}, of 1 to {most} characters"
        raise MappingError("option_missing", f"{told}; write it into the topology file, then requeue.", name)
    return value


def local_time(instant: str, context: OutboundContext) -> datetime:
    """An instant by the plant's clock, which partners read it by."""
    return datetime.fromisoformat(instant).astimezone(ZoneInfo(context.plant.timezone))


def unit_code(uom: str, standard: Mapping[str, str], context: OutboundContext, most: int, path: str) -> str:
    """The partner's code of a canonical unit: by the target's own table, else its crosswalk where it uses one, else
    the standard's, else as it is. Raises MappingError where that is longer than a code of the partner's may be."""
    table = context.options.get("units") or {}
    if uom not in table and UNITS in context.crosswalks.used:
        code = context.crosswalks.becomes(UNITS, uom, path)
    else:
        code = str(table.get(uom) or standard.get(uom, uom))
    if len(code) > most or not code.isalnum() or not code.isascii():
        told = f"{path} is {uom!r}, which partners know by no code of at most {most} letters and digits"
        mend = f"write one into the mapping option units of target {context.target} in the topology file, then requeue."
        raise MappingError("unit_unknown", f"{told}; {mend}", path)
    return code


def fitting(value: str, most: int, forbidden: str, path: str) -> str:
    """The text, if its element holds it; raises MappingError with its path where it does not."""
    if len(value) > most:
        told = f"{path} is {value[:40]!r}, longer than the {most} characters that the partner's format has for it"
        raise MappingError("text_too_long", f"{told}; shorten it where it is kept, or deliver it otherwise.", path)
    if wrong := next((each for each in value if each in forbidden or ord(each) > 255), None):
        told = f"{path} is {value[:40]!r}, and the partner's format cannot hold {wrong!r}"
        raise MappingError("character_unwritable", f"{told}; correct it where it is kept.", path)
    return value


def loose(data: Mapping[str, Any]) -> list[ShippedGoods]:
    return list(_goods(data.get("lines", ()), "lines"))


def packed(data: Mapping[str, Any]) -> Iterator[tuple[str, list[ShippedGoods]]]:
    """Each package's SSCC and its goods."""
    for number, package in enumerate(data.get("packages", ())):
        yield package["sscc"], list(_goods(package.get("lines", ()), f"packages[{number}].lines"))


def _goods(lines: Any, path: str) -> Iterator[ShippedGoods]:
    for number, line in enumerate(lines):
        yield ShippedGoods(f"{path}[{number}]", line)


def order_of(line: Mapping[str, Any]) -> Mapping[str, str]:
    """The purchase order that a line is for; empty where it is for none that the partner knows."""
    order: Mapping[str, str] = line.get("order_ref") or {}
    return order if order.get("type") == "purchase_order" else {}
