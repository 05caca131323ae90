"""What EDIFACT and X12 have in common: text cut into segments, each with the place where it stands.

Maintained parsers know a segment's content and not its place, and what they find irregular they drop or raise in a
way of their own. So the cutting is ours (docs/decisions/0006-dependencies.md), in one pass, with bounds on everything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from mappings.context import Deviations, MappingError

MAX_SEGMENTS = 100_000
MAX_ELEMENTS = 500_000
MAX_SEGMENT_CHARACTERS = 20_000
_TAG = re.compile(r"[A-Z][A-Z0-9]{1,2}")
# Neither standard has them in its text; a tab in words is left there.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_ENDS = "\r\n"
_REPEATED = "element_repeated"
# What stands behind the last segment of real files and is no part of it: line ends, and the end mark of old systems.
_PADDING = "\r\n\t \x1a\x00"


@dataclass(frozen=True)
class Separators:
    """The characters that part a body. X12 has no ``release``, and its components are left together. ``repetition``
    parts the repetitions of an element, of which the first is read: no message that is mapped needs more."""

    element: str
    terminator: str
    component: str | None = None
    release: str | None = None
    repetition: str | None = None


@dataclass(frozen=True)
class Cut:
    """``segments`` are ``{tag, place, elements}``; an element is text, or a list of texts where it has components.
    ``rest`` is what stands behind the last terminator, at ``rest_place``."""

    segments: list[dict[str, Any]]
    rest: str
    rest_place: str


@dataclass
class _Oddities:
    """Each kind of departure is told once a body, with its first place."""

    first: dict[str, str] = field(default_factory=dict)

    def see(self, code: str, place: str) -> None:
        self.first.setdefault(code, place)

    def tell(self, deviations: Deviations) -> None:
        reasons = {
            "segment_indented": "blanks stand before a segment",
            "line_wrapped": "a segment goes on over a line end, which was taken out",
            "segment_empty": "a terminator follows another, with nothing between them",
        }
        for code, place in self.first.items():
            if code == _REPEATED:
                deviations.pass_over("an element is repeated, of which the first is read", place)
            else:
                deviations.allow(code, reasons[code], place)


def cut(text: str, start: int, by: Separators, deviations: Deviations, before: int = 0) -> Cut:
    """The segments of ``text`` from ``start`` on, where ``before`` of them stand.

    Raises MappingError where a bound is passed or a segment has no tag.

    A place is ``segment 12 (LIN) in line 3 column 1``, all of them counted from 1.
    """
    _check_size(text, by)
    segments: list[dict[str, Any]] = []
    oddities = _Oddities()
    line, line_start = 1 + text.count("\n", 0, start), text.rfind("\n", 0, start) + 1
    rest = ""
    for piece, offset, ended in _pieces(text, start, by):
        body = piece.lstrip(_PADDING)
        if by.terminator == "\n":
            body = body.rstrip("\r")
        begin = offset + len(piece) - len(piece.lstrip(_PADDING))
        if begin > offset and (blank := text.count("\n", offset, begin)):
            line, line_start = line + blank, text.rfind("\n", offset, begin) + 1
        where = f"line {line} column {begin - line_start + 1}"
        if not ended:
            rest = body.rstrip(_PADDING)
            break
        if body:
            segments.append(_segment(body, before + len(segments) + 1, where, by, oddities))
            if begin > offset and not set(piece[: begin - offset]) <= set(_LINE_ENDS):
                oddities.see("segment_indented", segments[-1]["place"])
        elif by.terminator not in _LINE_ENDS:
            oddities.see("segment_empty", where)
        if more := text.count("\n", begin, offset + len(piece) + 1):
            line, line_start = line + more, text.rfind("\n", begin, offset + len(piece) + 1) + 1
    oddities.tell(deviations)
    return Cut(segments, rest, where)


def _check_size(text: str, by: Separators) -> None:
    if text.count(by.terminator) > MAX_SEGMENTS:
        raise MappingError("body_too_large", f"the body has more than {MAX_SEGMENTS:,} segments; send it in parts.")
    if text.count(by.element) + (text.count(by.component) if by.component else 0) > MAX_ELEMENTS:
        raise MappingError("body_too_large", f"the body has more than {MAX_ELEMENTS:,} elements; send it in parts.")


def _pieces(text: str, start: int, by: Separators) -> Iterator[tuple[str, int, bool]]:
    """Each piece up to its terminator, where it begins, and whether it was ended; the last one never is."""
    release, terminator = by.release, by.terminator
    begin = at = start
    while (end := text.find(terminator, at)) >= 0:
        if release and _is_released(text, begin, end, release):
            at = end + 1
            continue
        yield text[begin:end], begin, True
        begin = at = end + 1
    yield text[begin:], begin, False


def _is_released(text: str, begin: int, end: int, release: str) -> bool:
    """Whether an odd number of release characters stands right before ``end``."""
    if end == begin or text[end - 1] != release:
        return False
    before = text[begin:end]
    return (len(before) - len(before.rstrip(release))) % 2 == 1


def _segment(body: str, number: int, where: str, by: Separators, oddities: _Oddities) -> dict[str, Any]:
    if len(body) > MAX_SEGMENT_CHARACTERS:
        told = f"a segment has at most {MAX_SEGMENT_CHARACTERS:,} characters; is a terminator missing?"
        raise MappingError("segment_too_long", told, f"segment {number} in {where}")
    wrapped = "\n" in body or "\r" in body
    if wrapped:
        body = body.translate({ord(end): None for end in _LINE_ENDS})
    if not body.isprintable() and (control := _CONTROL.search(_without_marks(body, by))):
        told = f"a segment holds the control character 0x{ord(control.group()):02x}; send it without."
        raise MappingError("segment_invalid", told, f"segment {number} ({body[:3]}) in {where}")
    tag, *elements = split_elements(body, by)
    name = tag if isinstance(tag, str) else tag[0]
    name = name.rstrip()
    if not _TAG.fullmatch(name):
        told = f"a segment begins with {name[:20]!r}, which is no tag of two or three capitals and digits."
        raise MappingError("segment_invalid", told, f"segment {number} in {where}")
    place = f"segment {number} ({name}) in {where}"
    if wrapped:
        oddities.see("line_wrapped", place)
    if by.repetition and by.repetition in body and len(_split(body, by.repetition, by.release or "")) > 1:
        oddities.see(_REPEATED, place)
    return {"tag": name, "place": place, "elements": elements}


def _without_marks(body: str, by: Separators) -> str:
    """The words of a segment: its separators are control characters themselves, at EDIFACT's level B and in many
    interchanges of X12."""
    marks = (by.element, by.component, by.release, by.repetition)
    return body.translate({ord(mark): None for mark in marks if mark})


def split_elements(body: str, by: Separators) -> list[Any]:
    """A segment's elements, the tag being the first."""
    if by.repetition and by.repetition in body:
        first = (_split(element, by.repetition, by.release or "")[0] for element in _split_elements(body, by))
        return [_released(element, by) for element in first]
    if by.release and by.release in body:
        return [_released(element, by) for element in _split(body, by.element, by.release)]
    component = by.component
    if component is None or component not in body:
        return body.split(by.element)
    return [element.split(component) if component in element else element for element in body.split(by.element)]


def _split_elements(body: str, by: Separators) -> list[str]:
    return _split(body, by.element, by.release) if by.release else body.split(by.element)


def _released(element: str, by: Separators) -> Any:
    release = by.release or ""
    parts = _split(element, by.component, release) if by.component else [element]
    if not release:
        return parts[0] if len(parts) == 1 else parts
    plain = [re.sub(re.escape(release) + "(.)", r"\1", part, flags=re.DOTALL) for part in parts]
    return plain[0] if len(plain) == 1 else plain


def _split(text: str, separator: str, release: str) -> list[str]:
    """Split where the separator is not released; the release characters stay."""
    if not release:
        return text.split(separator)
    parts: list[str] = []
    for piece in text.split(separator):
        if parts and _is_released(parts[-1], 0, len(parts[-1]), release):
            parts[-1] += separator + piece
        else:
            parts.append(piece)
    return parts
