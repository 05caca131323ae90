"""Physical units, which mean the same of every item: a kilogram is a thousand grams, whatever is weighed.

An item's own table goes first; this one is asked for what it lacks, and only within one dimension. Pieces, boxes and
pallets are none of these. Factors are pint's, in decimals and exact.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from decimal import Context, Decimal
from functools import cache
from typing import Any

_DIGITS = Context(prec=20)
# Canonical codes, and those of UN/CEFACT Recommendation 20 (revision 17) beside them.
_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("MG", "MGM"), "milligram"),
    **dict.fromkeys(("G", "GRM"), "gram"),
    **dict.fromkeys(("KG", "KGM"), "kilogram"),
    **dict.fromkeys(("T", "TNE"), "metric_ton"),
    **dict.fromkeys(("LB", "LBR"), "pound"),
    **dict.fromkeys(("OZ", "ONZ"), "ounce"),
    **dict.fromkeys(("MM", "MMT"), "millimeter"),
    **dict.fromkeys(("CM", "CMT"), "centimeter"),
    **dict.fromkeys(("M", "MTR"), "meter"),
    **dict.fromkeys(("KM", "KMT"), "kilometer"),
    **dict.fromkeys(("IN", "INH"), "inch"),
    **dict.fromkeys(("FT", "FOT"), "foot"),
    **dict.fromkeys(("YD", "YRD"), "yard"),
    **dict.fromkeys(("CM2", "CMK"), "centimeter ** 2"),
    **dict.fromkeys(("M2", "MTK"), "meter ** 2"),
    **dict.fromkeys(("ML", "MLT"), "milliliter"),
    **dict.fromkeys(("L", "LTR"), "liter"),
    **dict.fromkeys(("HL", "HLT"), "hectoliter"),
    **dict.fromkeys(("M3", "MTQ"), "meter ** 3"),
}


def ratio(uom: str, base_uom: str) -> tuple[Decimal, Decimal] | None:
    """``(a, b)`` where one ``uom`` is a/b ``base_uom``, each exact; None where they are not of one dimension."""
    one, other = _in_root_units(uom), _in_root_units(base_uom)
    if one is None or other is None or one[1] != other[1]:
        return None
    return one[0], other[0]


@cache
def _in_root_units(uom: str) -> tuple[Decimal, str] | None:
    """How many of the root unit one of these is, and the dimension."""
    name = _NAMES.get(uom)
    if name is None:
        return None
    quantity = _registry().Quantity(Decimal(1), name).to_root_units()
    # No unit here is defined with more than twelve digits; pint reckons a foot as a third of a yard, in 28.
    return _DIGITS.plus(quantity.magnitude).normalize(), str(quantity.dimensionality)


@cache
def _registry() -> Any:
    """Loaded when the first such unit comes: pint takes half a second, and most houses need none of it."""
    return importlib.import_module("pint").UnitRegistry(non_int_type=Decimal)
