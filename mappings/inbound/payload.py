"""How inbound mappings read a payload: by a schema, units through the source's table, faults with their place."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from mappings.canonical.contract import first_fault
from mappings.canonical.fields import ERROR_TEXTS, Sign, decimal_text
from mappings.context import CORRECT_IT, InboundContext, MappingError
from mappings.options import REASONS, STORAGES, UNITS
from mappings.quick_load import quick_load


class Payload(Schema):
    """A source's own payload. A vendor may add fields at any time, so unknown ones are passed over."""

    error_messages = {"type": "must be an object"}

    class Meta:
        unknown = EXCLUDE


class Number(fields.Raw):
    """A number whose text ``amount`` reads; here it must only be there."""

    default_error_messages = ERROR_TEXTS


def load(schema: Schema, payload: Any) -> dict[str, Any]:
    """The payload's checked fields; raises MappingError ``payload_invalid`` at the first fault."""
    try:
        return quick_load(schema, payload)
    except ValidationError as error:
        fault = first_fault(error.messages)
        raise wrong("payload_invalid", f"{fault.path or 'the payload'} {fault.message}", fault.path) from None


def wrong(code: str, reason: str, place: str | None) -> MappingError:
    """A fault of the payload itself, with what a person can do about it."""
    return MappingError(code, f"{reason}. {CORRECT_IT}", place)


def amount(value: Any, unit: str, context: InboundContext, place: str, sign: Sign = "positive") -> dict[str, str]:
    """A canonical quantity in wire form; ``place`` is where its number stands in the payload."""
    try:
        text = decimal_text(value, sign)
    except ValidationError as error:
        raise wrong("quantity_invalid", f"{place} {error.messages[0]}", place) from None
    return {"value": text, "uom": canonical_unit(unit, context, place)}


def canonical_unit(unit: str, context: InboundContext, place: str) -> str:
    """The canonical code of a source's unit; a source without a table sends canonical codes. What the topology's
    ``units`` lack is looked for in the crosswalk ``units``, where the source uses that."""
    if unit not in context.units and UNITS in context.crosswalks.used:
        return context.crosswalks.becomes(UNITS, unit, place)
    if not context.units:
        return unit
    if unit not in context.units:
        known = ", ".join(sorted(context.units))
        raise MappingError(
            "unit_unknown",
            f"{place} is in unit {unit[:40]!r}, which source {context.source} has no translation for; it has: {known}. "
            "Add the unit to the source in the topology file, or let it use the crosswalk `units`; then requeue.",
            place,
        )
    return context.units[unit]


def storage_code(code: str | None, context: InboundContext, place: str) -> str | None:
    """The storage location's canonical code; None where none is given."""
    return context.crosswalks.becomes(STORAGES, code, place) if code else None


def reason_code(code: str, context: InboundContext, place: str) -> str:
    """The reason's canonical code."""
    return context.crosswalks.becomes(REASONS, code, place)


def present(**values: Any) -> dict[str, Any]:
    """The fields that have a value: a canonical field that is not known is left out. ``from_`` stands for ``from``."""
    return {
        name.rstrip("_") if name[-1] == "_" else name: value
        for name, value in values.items()
        if value or value not in (None, "", [], {})
    }


def transformation_id(context: InboundContext, order_id: str, segment: str | None = None) -> str:
    """What completion and issue of one order and segment share, though they come in different messages: the link from
    a lot to what it is made of."""
    return "/".join([context.plant.code, order_id, *([segment] if segment else [])])
