"""Items and what they are made of."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import Schema, ValidationError, fields, validates_schema

from mappings.canonical.fields import ERROR_TEXTS, UOM_LENGTH, Amount, Code, DecimalText, Text
from mappings.canonical.parts import EventData, Part, Span, Strict, parts

UNIT_BOUND = 50


class UnitTable(fields.Mapping[dict[Any, Any]]):
    """Base units per unit: ``{"BOX": "10"}``."""

    mapping_type = dict
    default_error_messages = {**ERROR_TEXTS, "invalid": "must be an object"}

    def __init__(self, **options: Any) -> None:
        super().__init__(Code(max_length=UOM_LENGTH), DecimalText(sign="positive"), **options)


class StandardCost(Strict):
    """What one base unit costs."""

    value = DecimalText(sign="not_negative", required=True)
    currency = Code(max_length=3, required=True)

    @validates_schema
    def _names_a_currency(self, data: dict[str, Any], **_: Any) -> None:
        if not re.fullmatch("[A-Z]{3}", data.get("currency", "EUR")):
            raise ValidationError("must be three letters of ISO 4217 such as EUR", "currency")


class ItemChanged(EventData):
    """An item is new or different (ISA-95 MaterialDefinition): the whole item, not the difference."""

    item = Code(required=True)
    revision = Code()
    effectivity = Part(Span)
    description = Text(required=True)
    base_uom = Code(max_length=UOM_LENGTH, required=True)
    units = UnitTable()
    standard_cost = Part(StandardCost)

    @validates_schema
    def _keeps_its_base_unit(self, data: dict[str, Any], **_: Any) -> None:
        units = data.get("units", {})
        if len(units) > UNIT_BOUND:
            raise ValidationError(f"must have at most {UNIT_BOUND} members", "units")
        if units.get(data.get("base_uom"), "1") != "1":
            raise ValidationError("must give the base unit the factor 1, or leave it out", "units")


class BomComponent(Strict):
    """What one base quantity of the item takes."""

    item = Code(required=True)
    quantity = Amount(required=True)
    segment = Code()


class BomChanged(EventData):
    """What ``quantity`` of an item is made of (ISA-95 OperationsDefinition): the whole list."""

    item = Code(required=True)
    revision = Code()
    effectivity = Part(Span)
    quantity = Amount(required=True)
    components = parts(BomComponent, low=1, required=True)

    @validates_schema
    def _does_not_contain_itself(self, data: dict[str, Any], **_: Any) -> None:
        if any(line.get("item") == data.get("item") for line in data.get("components", []) if "item" in line):
            raise ValidationError("must not contain the item itself", "components")


SCHEMAS: dict[str, type[Schema]] = {
    "item.changed.v1": ItemChanged,
    "bom.changed.v1": BomChanged,
}
