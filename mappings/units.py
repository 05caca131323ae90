"""Amounts and their conversion, exactly or not at all."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from mappings.context import ItemFacts, MappingError
from mappings.physical_units import ratio

# Wide enough for 27 digits times a factor of as many; what would still be rounded is refused instead.
_EXACT = decimal.Context(prec=80, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero])


@dataclass(frozen=True)
class Quantity:
    """An amount and the code of its unit; ``uom`` is a canonical code (``EA``)."""

    value: Decimal
    uom: str

    def wire(self) -> dict[str, str]:
        """The form it travels in: ``{"value": "12.5", "uom": "EA"}``."""
        return {"value": plain(self.value), "uom": self.uom}


def quantity(wire: Mapping[str, str]) -> Quantity:
    """Read a quantity from its checked wire form."""
    return Quantity(Decimal(wire["value"]), wire["uom"])


def plain(value: Decimal) -> str:
    """Digits without an exponent and without trailing zeros, so that equal amounts are equal texts."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def knows_unit(item: ItemFacts, uom: str) -> bool:
    """Whether the item has the unit, or measures in one of the same physical dimension."""
    return uom == item.base_uom or uom in item.units or ratio(uom, item.base_uom) is not None


def convert(amount: Quantity, to_uom: str, item: ItemFacts) -> Quantity:
    """The same amount in another unit of the item.

    Raises MappingError ``unit_unknown`` where the item lacks either unit, ``quantity_inexact`` where the result has no
    finite decimal digits: a rounded stock movement would never reconcile.
    """
    if amount.uom == to_uom and knows_unit(item, to_uom):
        return amount
    (many, few), (many_of_target, few_of_target) = _factor(amount.uom, item), _factor(to_uom, item)
    try:
        value = _EXACT.multiply(amount.value, _EXACT.multiply(many, few_of_target))
        value = _EXACT.divide(value, _EXACT.multiply(few, many_of_target))
    except decimal.Inexact:
        raise MappingError(
            "quantity_inexact",
            f"{plain(amount.value)} {amount.uom} of item {item.code} is no exact number of {to_uom}; "
            f"send it in {item.base_uom}, or correct the item's units and requeue.",
        ) from None
    return Quantity(value, to_uom)


def to_base(amount: Quantity, item: ItemFacts) -> Quantity:
    """The same amount in the item's base unit."""
    return convert(amount, item.base_uom, item)


def _factor(uom: str, item: ItemFacts) -> tuple[Decimal, Decimal]:
    """``(a, b)``: one of the unit is a/b base units. The item's own table goes before physics."""
    if uom == item.base_uom:
        return Decimal(1), Decimal(1)
    factor = item.units.get(uom)
    if factor is not None and factor.is_finite() and factor > 0:
        return factor, Decimal(1)
    physical = ratio(uom, item.base_uom) if factor is None else None
    if physical is None:
        known = ", ".join([item.base_uom, *sorted(set(item.units) - {item.base_uom})])
        raise MappingError(
            "unit_unknown", f"item {item.code} has no unit {uom!r}; it has: {known}. Add it, then requeue."
        )
    return physical
