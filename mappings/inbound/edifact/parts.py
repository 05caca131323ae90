"""What EDIFACT messages share: dates, parties, references, and the lines that begin with LIN.

Codes are those of the UN/EDIFACT directory D.96A: 2005 (DTM), 6063 (QTY), 7143 (LIN, PIA), 7405 (GIN), 1153 (RFF).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mappings.canonical.fields import Sign
from mappings.context import InboundContext
from mappings.inbound.edi.segments import EdiMessage, Segment, first_of, matching
from mappings.inbound.edi.values import ItemCode, check_count, instant_with_zone, item_of, local_instant, quantity
from mappings.inbound.payload import present, wrong

ITEM_CODES = ("IN", "BP", "EN", "SRV", "UP", "EU", "SA", "VN", "VP", "MF", "MP")
_LOT, _SERIAL = "NB", "SN"
_LOCAL_FORMS = {"101": 6, "102": 8, "201": 10, "203": 12, "204": 14}
_ZONED_FORMS = frozenset({"205", "303", "304"})
# What else a message may be told to be, D.96A code list 1225; None of these is a new document of its own.
_FUNCTIONS = {
    "1": "a cancellation",
    "2": "an addition",
    "3": "a deletion",
    "4": "a change",
    "5": "a replacement",
    "7": "a duplicate",
    "31": "a copy",
}


@dataclass(frozen=True)
class LineItem:
    """A LIN and what follows it, up to the next one or to the next level of packages (CPS)."""

    lin: Segment
    segments: Sequence[Segment]

    @property
    def place(self) -> str:
        return self.lin.place


def split_lines(message: EdiMessage, *, needed: bool = True) -> tuple[list[Segment], list[LineItem]]:
    """The message's head, and its lines up to the summary. Raises MappingError where lines are needed and missing."""
    body = _before_summary(message.segments)
    starts = [at for at, segment in enumerate(body) if segment.tag == "LIN"]
    if needed and not starts:
        raise wrong("segment_missing", f"the {message.kind} of {message.place} has no line (LIN)", message.place)
    ends = [*starts[1:], len(body)] if starts else []
    lines = [LineItem(body[at], _up_to(body[at + 1 : end], "CPS")) for at, end in zip(starts, ends, strict=True)]
    return list(_up_to(body[: starts[0]] if starts else body, "CPS")), lines


def _up_to(segments: Sequence[Segment], tag: str) -> Sequence[Segment]:
    return segments[: next((at for at, one in enumerate(segments) if one.tag == tag), None)]


def _before_summary(segments: Sequence[Segment]) -> Sequence[Segment]:
    return segments[: next((at for at, one in enumerate(segments) if one.tag == "UNS" and one.at(1) == "S"), None)]


def check_line_count(message: EdiMessage, lines: Sequence[LineItem], context: InboundContext) -> None:
    """CNT 2 counts the message's lines."""
    for control in message.all("CNT"):
        if control.at(1, 1) == "2":
            check_count(control.at(1, 2), {len(lines)}, context, control, "lines")


def document_number(message: EdiMessage, allowed: Sequence[str] = ()) -> str:
    """BGM's number. Raises MappingError where BGM says that it is none of its own: a cancellation, a change."""
    head = message.needed("BGM")
    function = head.at(3)
    if function in _FUNCTIONS and function not in allowed:
        told = f"BGM says that this {message.kind} is {_FUNCTIONS[function]} (1225 is {function})"
        raise wrong("function_unsupported", f"{told}, and only new ones are taken", head.place)
    number = head.at(2)
    if not number:
        raise wrong("segment_invalid", "BGM has no document number (1004)", head.place)
    return number


def instant(segments: Sequence[Segment], context: InboundContext, *qualifiers: str) -> str | None:
    """The first of these dates that is there, in the order of ``qualifiers``; None where none is."""
    wanted = {qualifier: at for at, qualifier in enumerate(qualifiers)}
    found = [one for one in matching(segments, "DTM") if one.at(1, 1) in wanted and one.at(1, 2)]
    if not found:
        return None
    return _instant(min(found, key=lambda one: wanted[one.at(1, 1)]), context)


def needed_instant(message: EdiMessage, context: InboundContext, *qualifiers: str) -> str:
    found = instant(message.segments, context, *qualifiers)
    if found is None:
        told = f"the {message.kind} of {message.place} has no DTM with {', '.join(qualifiers)}"
        raise wrong("time_missing", told, message.place)
    return found


def _instant(date: Segment, context: InboundContext) -> str:
    text, form = date.at(1, 2), date.at(1, 3)
    if form in _ZONED_FORMS:
        return instant_with_zone(text, context, date.place)
    if form and form not in _LOCAL_FORMS:
        told = f"{date.place} is in the form {form[:10]!r} (2379); taken are {', '.join(sorted(_LOCAL_FORMS))} and 303"
        raise wrong("time_invalid", told, date.place)
    if len(text) != _LOCAL_FORMS.get(form, 0) and text.isdigit() and len(text) in (8, 12, 14):
        told = f"a date of {len(text)} digits is given as form {form or 'nothing'}"
        context.deviations.allow("date_form_wrong", told, date.place)
    return local_instant(text, context, date.place)


def party(segments: Sequence[Segment], *qualifiers: str) -> str | None:
    """The code of the first such party; None where it has none."""
    found = first_of(segments, "NAD", *qualifiers)
    return (found.at(2, 1) or None) if found else None


def reference(segments: Sequence[Segment], *qualifiers: str) -> dict[str, str] | None:
    """A referenced document ``{id, line}``; None where there is none."""
    for qualifier in qualifiers:
        for one in matching(segments, "RFF"):
            if one.at(1, 1) == qualifier and one.at(1, 2):
                return {"id": one.at(1, 2)} | present(line=one.at(1, 3))
    return None


def order_ref(line: Sequence[Segment], head: Sequence[Segment]) -> dict[str, str] | None:
    """The purchase order's line that a line is for: its own reference, else the message's."""
    found = reference(line, "ON") or reference(head, "ON")
    if found is None:
        return None
    position = reference(line, "LI")
    return (
        {"type": "purchase_order"} | found | (present(line=position["id"]) if position and "line" not in found else {})
    )


def item(line: LineItem, context: InboundContext) -> str:
    return item_of(_codes(line), ITEM_CODES, context, line.place)


def _codes(line: LineItem) -> list[ItemCode]:
    codes = [ItemCode(line.lin.at(3, 2), line.lin.at(3, 1))] if line.lin.at(3, 1) else []
    for more in matching(line.segments, "PIA"):
        codes += [ItemCode(more.at(at, 2), more.at(at, 1)) for at in range(2, 7) if more.at(at, 1)]
    return codes


def lot_and_serials(line: LineItem) -> dict[str, Any]:
    """Raises MappingError where a line has several lots: nobody says how much is of which."""
    codes = _codes(line)
    lots = {one.code for one in codes if one.qualifier == _LOT} or set(_identities(line, "BX"))
    if len(lots) > 1:
        told = f"{line.place} has {len(lots)} lots, and one quantity for them all; have it sent a line a lot"
        raise wrong("lot_ambiguous", told, line.place)
    serials = [one.code for one in codes if one.qualifier == _SERIAL] + _identities(line, "BN")
    return present(lot=next(iter(lots), None), serials=serials)


def _identities(line: LineItem, qualifier: str) -> list[str]:
    found = []
    for one in matching(line.segments, "GIN", qualifier):
        for at in range(2, 7):
            first, last = one.at(at, 1), one.at(at, 2)
            if last and last != first:
                raise wrong("range_unsupported", f"{one.place} gives a range; have each number sent", one.place)
            found += [first] if first else []
    return found


def line_quantity(
    message: EdiMessage, line: LineItem, context: InboundContext, *qualifiers: str, sign: Sign = "positive"
) -> dict[str, str]:
    """The line's quantity by the first qualifier that it has; raises MappingError where it has none, or two."""
    found = find_quantity(message, line, context, *qualifiers, sign=sign)
    if found is None:
        told = f"{line.place} has no quantity (QTY) with {' or '.join(qualifiers)}"
        raise wrong("quantity_missing", told, line.place)
    return found


def find_quantity(
    message: EdiMessage, line: LineItem, context: InboundContext, *qualifiers: str, sign: Sign = "positive"
) -> dict[str, str] | None:
    for qualifier in qualifiers:
        found = [one for one in matching(line.segments, "QTY") if one.at(1, 1) == qualifier]
        if len(found) > 1:
            told = f"{line.place} has {len(found)} quantities of the kind {qualifier}, and one is needed"
            raise wrong("quantity_ambiguous", told, found[1].place)
        if found:
            amount = found[0]
            return quantity(amount.at(1, 2), amount.at(1, 3), message, context, amount.place, sign)
    return None
