"""The contracts as JSON Schema 2020-12, for programs that check before they send.

The rules between fields (a receipt adds up, a movement goes somewhere else) have no place in it; whatever the schema
passes, ``contract.validate`` has the last word.
"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from mappings.canonical.fields import Amount, BoundedList, Code, DecimalText, Flag, Instant, Text
from mappings.canonical.master_data import UNIT_BOUND, UnitTable
from mappings.canonical.parts import Part


def json_schema_of(event_type: str, schema: Schema) -> dict[str, Any]:
    """The schema of one type's data. A field that has no JSON Schema is a mistake of ours, so it raises TypeError."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": event_type,
        "description": " ".join((type(schema).__doc__ or "").split()),
        **_object(schema),
    }


def _object(schema: Schema) -> dict[str, Any]:
    members = {field.data_key or name: field for name, field in schema.fields.items()}
    required = sorted(name for name, field in members.items() if field.required)
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": {name: _member(field) for name, field in members.items()},
    }


def _member(field: fields.Field[Any]) -> dict[str, Any]:
    if isinstance(field, Code | Text | Instant | DecimalText | Flag | Amount):
        return field.json_schema()
    if isinstance(field, Part):
        return _object(field.schema)
    if isinstance(field, BoundedList):
        return {"type": "array", "minItems": field.low, "maxItems": field.high, "items": _member(field.inner)}
    if isinstance(field, UnitTable):
        factor = DecimalText(sign="positive").json_schema()
        return {"type": "object", "maxProperties": UNIT_BOUND, "additionalProperties": factor}
    raise TypeError(f"field {field.name!r} has no JSON Schema")
