"""Values of EDI messages: amounts, items by whose number they are known, and dates by their form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from mappings.canonical.fields import Sign
from mappings.context import Crosswalks, InboundContext, MappingError
from mappings.inbound.edi.segments import EdiMessage, Segment
from mappings.inbound.payload import amount, wrong
from mappings.inbound.plant_time import from_iso, from_pattern

_DIGITS = re.compile(r"[+-]?[0-9]{0,40}([.,][0-9]{0,40})?", re.ASCII)
# Zones that ISO 9735's own date forms name by letters and that mean one offset only.
_UTC = frozenset({"UTC", "GMT", "Z"})


@dataclass(frozen=True)
class ItemCode:
    """An item's number and whose it is (``BP``: the buyer's part number)."""

    qualifier: str
    code: str


def item_of(codes: Sequence[ItemCode], order: Iterable[str], context: InboundContext, place: str) -> str:
    """The code whose qualifier comes first in the source's option ``item_codes``, else in ``order``.

    Raises MappingError where there is none, or where one qualifier has two codes.
    """
    wanted = list(context.options.get("item_codes") or order)
    for qualifier in wanted:
        found = {one.code for one in codes if one.qualifier == qualifier}
        if len(found) > 1:
            told = f"{place} has {len(found)} codes of the kind {qualifier}, and one item is needed"
            raise wrong("item_ambiguous", told, place)
        if found:
            return found.pop()
    unqualified = {one.code for one in codes if not one.qualifier}
    if len(unqualified) == 1:
        context.deviations.allow("item_unqualified", "an item's code does not say whose it is", place)
        return unqualified.pop()
    has = ", ".join(sorted({one.qualifier for one in codes if one.qualifier})) or "none"
    told = f"{place} names its item by none of {', '.join(wanted)}; the kinds that it has: {has}."
    mend = "Add the kind to the source's option item_codes in the topology file, then requeue."
    raise MappingError("item_missing", f"{told} {mend}", place)


def number_text(text: str, message: EdiMessage, context: InboundContext, place: str) -> str:
    """A number with its decimal mark as a point. Neither standard parts thousands, so that a mark is the decimal one;
    where a body names the other mark, three digits behind one may be thousands all the same, and are refused."""
    if not any(digit in text for digit in "0123456789") or not _DIGITS.fullmatch(text):
        raise wrong("quantity_invalid", f"{place} has {text[:40]!r} where a number is needed", place)
    mark = next((mark for mark in ".," if mark in text), None)
    if mark and message.decimal and mark != message.decimal:
        if len(text.partition(mark)[2]) == 3:
            told = f"{place} has {text[:40]!r}, where the decimal mark is {message.decimal!r}; it may mean thousands"
            raise wrong("quantity_ambiguous", told, place)
        told = f"a number has {mark!r} where the decimal mark is {message.decimal!r}"
        context.deviations.allow("decimal_mark_wrong", told, place)
    whole, _, behind = text.lstrip("+").replace(",", ".").partition(".")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{whole or '0'}" + (f".{behind}" if behind else "")


def quantity(
    text: str, unit: str, message: EdiMessage, context: InboundContext, place: str, sign: Sign = "positive"
) -> dict[str, str]:
    """A canonical quantity. Where the sender names no unit, it counts in the source's option ``unit_if_missing``
    (a canonical code), ``EA`` unless told."""
    number = number_text(text, message, context, place)
    if unit:
        return amount(number, unit, context, place, sign)
    canonical = str(context.options.get("unit_if_missing") or "EA")
    return amount(number, canonical, replace(context, units={}, crosswalks=Crosswalks()), place, sign)


# Digits of a local time: (pattern, example), by how many there are.
_FORMS = {
    6: ("%y%m%d", "260131"),
    8: ("%Y%m%d", "20260131"),
    10: ("%y%m%d%H%M", "2601311405"),
    12: ("%Y%m%d%H%M", "202601311405"),
    14: ("%Y%m%d%H%M%S", "20260131140500"),
}


def local_instant(text: str, context: InboundContext, place: str) -> str:
    """An instant of 6, 8, 10, 12 or 14 digits by the plant's clock; a day begins at midnight."""
    pattern, example = _FORMS.get(len(text), _FORMS[8])
    if text.endswith("2400") and len(text) in (10, 12):
        raise wrong("time_invalid", f"{place} is {text!r}; write the day's end as 0000 of the next day", place)
    return from_pattern(text, pattern, example, context.plant, place)


def instant_with_zone(text: str, context: InboundContext, place: str) -> str:
    """``CCYYMMDDHHMM[SS]`` and its zone: UTC, or an offset such as ``+0100``."""
    found = re.fullmatch(r"(\d{12}|\d{14})(UTC|GMT|Z|Z?([+-]\d\d):?(\d\d))", text, re.ASCII)
    if found is None:
        told = f"{place} is {text[:40]!r}, which is no time with UTC or an offset such as 202601311405+0100"
        raise wrong("time_invalid", told, place)
    digits, zone = found.group(1).ljust(14, "0"), found.group(2)
    offset = "Z" if zone in _UTC else f"{found.group(3)}:{found.group(4)}"
    iso = f"{digits[:4]}-{digits[4:6]}-{digits[6:8]}T{digits[8:10]}:{digits[10:12]}:{digits[12:]}{offset}"
    return from_iso(iso, context.plant, place)


def check_count(told: str, right: set[int], context: InboundContext, segment: Segment, what: str) -> None:
    """A control total of the message's own: one that does not agree is a deviation."""
    if told and not (told.isascii() and told.isdigit() and len(told) < 10 and int(told) in right):
        found = " or ".join(str(number) for number in sorted(right))
        reason = f"{segment.tag} counts {told[:20]!r} {what}, and there are {found}"
        context.deviations.allow("count_wrong", reason, segment.place)


def line_names(told: Sequence[tuple[str, str]]) -> list[str]:
    """Each line's number, from ``(number, place)``; a line without one has its place in the order, as the standards
    allow. Raises MappingError where two have the same."""
    numbers = [number or str(at) for at, (number, _) in enumerate(told, 1)]
    seen: set[str] = set()
    for number, (_, place) in zip(numbers, told, strict=True):
        if number in seen:
            raise wrong("line_repeated", f"{place} has the line number {number[:20]!r}, which another line has", place)
        seen.add(number)
    return numbers
