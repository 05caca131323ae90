"""UN/EDIFACT interchanges (ISO 9735, syntax versions 1 to 4) as plain values.

Separators come from UNA, else they are the standard's; a body without UNA whose lines have no terminators is cut at
its line ends, which is noted. In syntax 4 the repetitions of an element are parted (`*`, or what stands in the fifth
place of UNA), and the first is read, with a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from mappings.context import Deviations, MappingError
from mappings.formats import edi_envelope, edi_files, edi_text
from mappings.formats.documents import Document
from mappings.formats.edi_envelope import Enclosed, Envelope, Level, text_at
from mappings.formats.edi_files import Begun, Dialect
from mappings.formats.edi_segments import Cut, Separators, cut, split_elements
from mappings.formats.lines import BadRow

ENVELOPE = Envelope(
    Level("UNB", "UNZ", reference=5),
    Level("UNG", "UNE", reference=5),
    Level("UNH", "UNT", reference=1),
    False,
    frozenset({"UNA"}),
)
_STANDARD_ADVICE = {None: "UNA:+.? '", "*": "UNA:+.?*'"}
STANDARD = Separators(element="+", terminator="'", component=":", release="?")
# Level B of the older syntax: information separators of ISO 646 in place of printable characters.
LEVEL_B = Separators(element="\x1d", terminator="\x1c", component="\x1f")
# ISO 9735-1:2002, annex: the repertoires by their syntax identifier.
_REPERTOIRES = {"UNOA": "ascii", "UNOB": "ascii", "UNOC": "iso8859-1", "UNOD": "iso8859-2", "UNOE": "iso8859-5"}
_REPERTOIRES |= {"UNOF": "iso8859-7", "UNOG": "iso8859-3", "UNOH": "iso8859-4", "UNOI": "iso8859-6"}
_REPERTOIRES |= {"UNOJ": "iso8859-8", "UNOK": "iso8859-9", "UNOL": "iso8859-15", "UNOW": "utf-8", "UNOY": "utf-8"}
_SYNTAX = re.compile(rb"UNB[^A-Z]{1,3}(UNO[A-Z])")
_VERSION = re.compile(r"UNB(?P<element>[^A-Za-z0-9])UNO[A-Z](?P<component>[^A-Za-z0-9])(?P<version>[0-9])", re.ASCII)
# ISO 9735-1:2002, section 8: with syntax 4 the repetition separator takes the place that was reserved before.
_REPEATING = "4"
_NO_TERMINATOR = re.compile(r"UNB\+[^'\r\n]*(\r?\n|\r)\s*(UNH|UNG)\+")
_HEAD_CHARACTERS = 2_000
_SEPARATORS_MEND = (
    "UNA names the component and element separator, decimal mark, release, a blank or the repetition separator, and "
    "the terminator."
)


@dataclass(frozen=True)
class Service:
    """How a body is written. ``una``: the service string advice as it stood, empty where there is none; ``decimal``:
    the mark that it names."""

    by: Separators
    una: str
    decimal: str | None


def read(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """The interchanges' messages as ``{decimal, messages: [{kind, release, reference, sender, receiver, interchange,
    place, end, segments}]}``; segments are ``{tag, place, elements}`` without the envelope's own.

    Raises MappingError where the body is no interchange, is not whole, or passes a bound.
    """
    deviations = deviations or Deviations()
    text = _text(body, deviations)
    begin = len(text) - len(text.lstrip())
    service = service_of(text[begin : begin + _HEAD_CHARACTERS], deviations)
    _check_advices(text, service)
    found = cut(text, begin + len(service.una), service.by, deviations)
    segments = _whole(found, service, deviations)
    messages = edi_envelope.messages_in(segments, ENVELOPE, deviations)
    if not messages:
        told = "the interchange holds no message; discard it if that is right."
        raise MappingError("document_empty", told, found.rest_place)
    _note_tests(segments, deviations)
    return {"decimal": service.decimal or "", "messages": [_message(message) for message in messages]}


def _text(body: bytes, deviations: Deviations) -> str:
    plain = edi_text.without_mark(body)
    declared = _SYNTAX.search(plain[:_HEAD_CHARACTERS])
    name = declared.group(1).decode("ascii") if declared else "UNOA"
    if name not in _REPERTOIRES:
        if not plain.isascii():
            known = ", ".join(sorted(_REPERTOIRES))
            told = f"the syntax identifier {name} is not one that is read; send one of: {known}."
            raise MappingError("encoding_unknown", told, "segment 1 (UNB)")
        return plain.decode("ascii")
    return edi_text.decoded(plain, _REPERTOIRES[name], name, deviations)


def service_of(head: str, deviations: Deviations) -> Service:
    """The separators, from the first characters of a body. Raises MappingError where it begins like no interchange."""
    if head.startswith("UNA"):
        return _advised(head)
    if head.startswith(("UNB\x1d", "UNH\x1d")):
        return Service(LEVEL_B, "", None)
    if _NO_TERMINATOR.match(head):
        end = "\n" if "\n" in head else "\r"
        told = "segments end with their lines instead of a terminator"
        deviations.allow("terminator_wrong", told, "segment 1 (UNB)")
        return Service(Separators("+", end, ":", "?"), "", None)
    if head.startswith(("UNB+", "UNH+")):
        return Service(replace(STANDARD, repetition="*") if _repeats(head) else STANDARD, "", None)
    told = f"the body begins with {head[:12]!r}; an EDIFACT interchange begins with UNA or UNB."
    raise MappingError("document_unknown", told, "line 1 column 1")


def _advised(head: str) -> Service:
    una = head[:9]
    component, element, decimal, release, reserved, terminator = tuple(una[3:].ljust(6))
    repetition = reserved if reserved != " " and _repeats(head) else None
    used = [
        component,
        element,
        terminator,
        *([release] if release != " " else []),
        *([repetition] if repetition else []),
    ]
    if len(una) < 9 or len(set(used)) < len(used) or any(mark.isalnum() or mark == " " for mark in used):
        raise MappingError("separators_invalid", f"{una!r} names no separators. {_SEPARATORS_MEND}", "line 1 column 1")
    by = Separators(element, terminator, component, release if release != " " else None, repetition)
    return Service(by, una, decimal if decimal in ".," else None)


def _repeats(head: str) -> bool:
    found = _VERSION.search(head)
    return found is not None and found["version"] == _REPEATING


def _whole(found: Cut, service: Service, deviations: Deviations) -> list[dict[str, Any]]:
    """The segments, with a last one that lacks only its terminator; raises MappingError where more is cut off."""
    if not found.rest:
        return found.segments
    elements = split_elements(found.rest, service.by)
    last = {"tag": elements[0], "elements": elements[1:], "place": f"the last segment in {found.rest_place}"}
    opening = next((one for one in reversed(found.segments) if one["tag"] == "UNB"), None)
    if last["tag"] != "UNZ" or not text_at(last, 2) or text_at(last, 2) != text_at(opening, 5):
        told = f"the body ends within {found.rest[:20]!r}, which has no terminator; was it cut off? Send it whole."
        raise MappingError("interchange_incomplete", told, found.rest_place)
    deviations.allow("terminator_wrong", "the last segment has no terminator", found.rest_place)
    return [*found.segments, last]


def _check_advices(text: str, service: Service) -> None:
    """UNA before a further interchange may say the same again; one that says something else is not followed."""
    for again in re.finditer(re.escape(service.by.terminator) + r"[ \t\r\n]{0,4}(UNA.{6})", text, re.DOTALL):
        if again.group(1) != (service.una or _STANDARD_ADVICE[service.by.repetition]):
            told = "another UNA with other separators follows in the body; send each interchange apart."
            raise MappingError("separators_invalid", told, f"character {again.start(1) + 1}")


def _note_tests(segments: list[dict[str, Any]], deviations: Deviations) -> None:
    marked = next((one for one in segments if one["tag"] == "UNB" and text_at(one, 11) == "1"), None)
    if marked:
        deviations.allow("test_indicator", "the interchange is marked as a test", marked["place"])


def _message(message: Enclosed) -> dict[str, Any]:
    header, around = message.opening, message.interchange
    named = {
        "kind": text_at(header, 2) or text_at(message.group, 1),
        "release": ":".join(filter(None, (text_at(header, 2, component) for component in range(2, 6)))),
        "reference": text_at(header, 1),
        "sender": text_at(around, 2),
        "receiver": text_at(around, 3),
        "interchange": text_at(around, 5),
        "place": header["place"],
        "end": message.closing["place"] if message.closing else header["place"],
    }
    return {name: value for name, value in named.items() if value} | {"segments": message.segments}


def open_messages(stream: BinaryIO, options: Mapping[str, Any], skip: int = 0) -> Iterator[Document | BadRow]:
    """The messages of a file; see ``edi_files.open_messages``. Knows no options."""
    return edi_files.open_messages(_DIALECT, stream, skip)


def _begin(head: bytes) -> Begun:
    service = service_of(head.decode("latin-1"), Deviations())
    return Begun(service.by, len(service.una))


_DIALECT = Dialect(ENVELOPE, _begin, sender=2, content_type="application/edifact", kind=2)
