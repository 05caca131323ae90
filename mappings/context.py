"""All that a mapping may know besides its payload.

A mapping reads no clock, environment, session or network, so a replay of an old message gives the same result.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Event:
    """One canonical event in wire form: ``type`` with its version (``production.completed.v1``), JSON-able ``data``
    (quantities as decimal strings, instants as RFC 3339 in UTC)."""

    type: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class PlantFacts:
    """A plant (ISA-95 site). ``timezone`` is an IANA name; local times of a source without an offset are in it."""

    code: str
    name: str
    timezone: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ItemFacts:
    """An item (ISA-95 material definition). ``units`` gives base units per unit: ``{"BOX": Decimal("12")}``."""

    code: str
    description: str
    base_uom: str
    units: Mapping[str, Decimal]


@dataclass(frozen=True)
class InboundContext:
    """``units`` translates the source's unit codes to canonical ones (``{"STK": "EA"}``)."""

    plant: PlantFacts
    source: str
    source_message_id: str
    received_at: datetime
    units: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OutboundContext:
    """``items`` holds the facts of every item that the event names; ``options`` are the target's mapping options."""

    plant: PlantFacts
    target: str
    posting_key: str
    items: Mapping[str, ItemFacts] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)


CORRECT_IT = "Correct the payload here and resubmit it, or have it sent anew under a new id."
"""What a person can do about a payload that is wrong: under its own id it would be a conflict."""


class MappingError(Exception):
    """The payload cannot become what it should. ``code`` is a stable word (``quantity_invalid``), ``field`` the place
    in the payload (``Quantity``, ``line 3 column 14``), ``reason`` a sentence a person can act on."""

    def __init__(self, code: str, reason: str, field: str | None = None) -> None:
        super().__init__(f"{code}: {reason}" + (f" (at {field})" if field else ""))
        self.code = code
        self.reason = reason
        self.field = field
