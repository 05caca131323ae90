"""What is to come, told to those who plan."""

from __future__ import annotations

from marshmallow import Schema

from mappings.canonical.fields import Amount, Code, Instant
from mappings.canonical.parts import EventData, Part, Span, Strict, parts

FIRMNESS = ("firm", "planned", "forecast")


class ScheduleLine(Strict):
    """So much by then. Its own ``firmness`` goes before the signal's."""

    due = Instant(required=True)
    quantity = Amount(sign="not_negative", required=True)
    firmness = Code(choices=FIRMNESS)


class Signalled(EventData):
    """A supply or demand schedule (X12 830, EDIFACT DELFOR) over a horizon; it replaces the one before it."""

    item = Code(required=True)
    schedule = parts(ScheduleLine, low=1, required=True)
    horizon = Part(Span)
    firmness = Code(choices=FIRMNESS, required=True)


SCHEMAS: dict[str, type[Schema]] = {"supply.signalled.v1": Signalled}
