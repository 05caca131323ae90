"""``idoc.MATMAS``: a material with its units of measure. Basic types MATMAS01 to MATMAS05."""

from __future__ import annotations

import decimal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError

from mappings.canonical.fields import decimal_text
from mappings.context import Event, InboundContext
from mappings.inbound.payload import present, wrong
from mappings.inbound.sap_idoc.segments import Idoc, Segment, idocs, material, translated, written_at
from mappings.options import UNITS

_LANGUAGE = "EN"
# SAP's own code of a language is one letter, and not always the first of the ISO code's.
_OWN_CODES = {
    "EN": "E",
    "DE": "D",
    "FR": "F",
    "ES": "S",
    "IT": "I",
    "NL": "N",
    "PT": "P",
    "PL": "L",
    "CS": "C",
    "ZH": "1",
}
_EXACT = decimal.Context(prec=60, traps=[decimal.Inexact, decimal.InvalidOperation, decimal.DivisionByZero])


@dataclass
class _Material:
    head: Segment
    texts: list[Segment] = field(default_factory=list)
    units: list[Segment] = field(default_factory=list)


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [
        _item(found, written_at(idoc, context), context)
        for idoc in idocs(payload, ("MATMAS",), context)
        for found in _materials(idoc)
    ]


def _materials(idoc: Idoc) -> list[_Material]:
    found: list[_Material] = []
    for segment in idoc.segments:
        if segment.name == "E1MARAM":
            found.append(_Material(segment))
        elif found and segment.name == "E1MAKTM":
            found[-1].texts.append(segment)
        elif found and segment.name == "E1MARMM":
            found[-1].units.append(segment)
    if not found:
        raise wrong("segment_missing", "the IDoc has no E1MARAM", idoc.control.place)
    return found


def _item(found: _Material, written: str, context: InboundContext) -> Event:
    data = present(
        event_time=written,
        item=material(found.head),
        description=_description(found, context),
        base_uom=translated(found.head, "MEINS", context),
    )
    units = dict(_units(found, data["base_uom"], context))
    return Event("item.changed.v1", data | present(units=units))


def _description(found: _Material, context: InboundContext) -> str:
    """In the source's language, else in the first that there is."""
    language = str(context.options.get("language", _LANGUAGE)).upper()
    codes = {language, _OWN_CODES.get(language, language)}
    texts = [text for text in found.texts if text.get("MAKTX")]
    own = [text for text in texts if not codes.isdisjoint({text.get("SPRAS_ISO").upper(), text.get("SPRAS").upper()})]
    if not texts:
        raise wrong("payload_invalid", f"{found.head.place} has no E1MAKTM with a MAKTX", found.head.place)
    return (own or texts)[0].get("MAKTX")


def _units(found: _Material, base: str, context: InboundContext) -> Iterator[tuple[str, str]]:
    """UMREN of the unit are UMREZ of the base unit. A unit that is left out is refused where something is counted in
    it."""
    for line in found.units:
        code = line.needed("MEINH")
        if context.units and code not in context.units and UNITS not in context.crosswalks.used:
            told = f"the source has no translation for unit {code[:10]}, so the item goes without it"
            context.deviations.allow("unit_unknown", told, line.at("MEINH"))
            continue
        uom, factor = translated(line, "MEINH", context), _factor(line)
        if uom == base:
            continue
        if factor is None:
            told = f"unit {code[:10]} is no finite decimal of the base unit, so the item goes without it"
            context.deviations.allow("unit_inexact", told, line.at("UMREZ"))
            continue
        yield uom, factor


def _factor(line: Segment) -> str | None:
    numerator, denominator = line.number("UMREZ"), line.number("UMREN") or Decimal(1)
    if numerator <= 0 or denominator <= 0:
        raise wrong("quantity_invalid", f"{line.at('UMREZ')} must be more than zero", line.at("UMREZ"))
    try:
        return decimal_text(_EXACT.divide(numerator, denominator), "positive")
    except (decimal.Inexact, decimal.InvalidOperation, ValidationError):
        return None
