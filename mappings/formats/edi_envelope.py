"""Interchange, groups and messages: the envelope of EDIFACT and of X12, whose closing segments count and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mappings.context import Deviations, MappingError

Segment = Mapping[str, Any]


@dataclass(frozen=True)
class Level:
    """``reference``: which element of the opening segment the closing one repeats as its second, counted from 1."""

    opens: str
    closes: str
    reference: int


@dataclass(frozen=True)
class Envelope:
    """``needs_group``: X12 has no messages outside a group."""

    interchange: Level
    group: Level
    message: Level
    needs_group: bool
    passed_over: frozenset[str] = frozenset()


@dataclass
class Opened:
    """``inner`` counts what the closing segment counts: groups, messages or segments."""

    segment: Segment
    inner: int = 0
    messages: int = 0


@dataclass
class Enclosed:
    """One message: its opening segment, those in it, the one that closes it, and what it stands in."""

    opening: Segment
    segments: list[Segment]
    interchange: Segment | None
    group: Segment | None
    closing: Segment | None = None


def text_at(segment: Segment | None, element: int, component: int = 1) -> str:
    """An element's text, or a component's; both count from 1. Empty where there is none."""
    elements = segment["elements"] if segment is not None else ()
    found = elements[element - 1] if element <= len(elements) else ""
    if isinstance(found, str):
        return found.strip() if component == 1 else ""
    return str(found[component - 1]).strip() if component <= len(found) else ""


def messages_in(segments: Iterable[Segment], envelope: Envelope, deviations: Deviations) -> list[Enclosed]:
    """The messages of a body. Raises MappingError where one is not whole: a body that was cut off is not taken.

    Counts and references that do not agree, and envelope segments that are missing around whole messages, are
    deviations.
    """
    walk = _Walk(envelope, deviations)
    for segment in segments:
        walk.take(segment)
    walk.finish()
    return walk.found


@dataclass
class _Walk:
    envelope: Envelope
    deviations: Deviations
    found: list[Enclosed] = field(default_factory=list)
    interchange: Opened | None = None
    group: Opened | None = None
    message: Enclosed | None = None
    last: str = "the body's beginning"
    noted: set[str] = field(default_factory=set)

    def take(self, segment: Segment) -> None:
        tag = segment["tag"]
        if self.message is not None and tag not in self._service:
            self.message.segments.append(segment)
        else:
            self._take_service(tag, segment)
        self.last = segment["place"]

    @cached_property
    def _service(self) -> frozenset[str]:
        return frozenset(tag for level in self._levels for tag in (level.opens, level.closes))

    @property
    def _levels(self) -> tuple[Level, Level, Level]:
        return self.envelope.interchange, self.envelope.group, self.envelope.message

    def _take_service(self, tag: str, segment: Segment) -> None:
        interchange, group, message = self._levels
        acts = {
            interchange.opens: self._open_interchange,
            group.opens: self._open_group,
            message.opens: self._open_message,
            message.closes: self._close_message,
            group.closes: self._close_group,
            interchange.closes: self._close_interchange,
        }
        if tag in acts:
            acts[tag](segment)
        elif tag not in self.envelope.passed_over:
            told = f"{tag} stands outside any message; a message begins with {message.opens}."
            raise MappingError("segment_misplaced", told, segment["place"])

    def _open_interchange(self, segment: Segment) -> None:
        self._check_message_closed(segment["place"])
        if self.interchange is not None:
            raise self._cut(self.envelope.interchange, self.interchange.segment, segment["place"])
        self.interchange = Opened(segment)

    def _open_group(self, segment: Segment) -> None:
        self._check_message_closed(segment["place"])
        self._leave_group(segment["place"])
        self._need_interchange(segment)
        self.group = Opened(segment)
        if self.interchange is not None:
            self.interchange.inner += 1

    def _open_message(self, segment: Segment) -> None:
        self._check_message_closed(segment["place"])
        self._need_interchange(segment)
        if self.group is None and self.envelope.needs_group:
            self._note_missing(self.envelope.group.opens, segment["place"])
        for around in (self.group, self.interchange):
            if around is not None:
                around.messages += 1
        within = self.interchange.segment if self.interchange else None
        self.message = Enclosed(segment, [], within, self.group.segment if self.group else None)

    def _close_message(self, segment: Segment) -> None:
        if self.message is None:
            told = f"{segment['tag']} closes a message that did not begin; was the body's beginning cut off?"
            raise MappingError("message_incomplete", told, segment["place"])
        level = self.envelope.message
        self._check_count(segment, {len(self.message.segments) + 2}, "segments")
        self._check_reference(segment, text_at(self.message.opening, level.reference), level)
        self.message.closing = segment
        self.found.append(self.message)
        self.message = None

    def _close_group(self, segment: Segment) -> None:
        self._check_message_closed(segment["place"])
        if self.group is None:
            self._note_missing(self.envelope.group.opens, segment["place"])
            return
        self._check_count(segment, {self.group.messages}, "messages")
        level = self.envelope.group
        self._check_reference(segment, text_at(self.group.segment, level.reference), level)
        self.group = None

    def _close_interchange(self, segment: Segment) -> None:
        self._check_message_closed(segment["place"])
        self._leave_group(segment["place"])
        if self.interchange is None:
            told = f"{segment['tag']} closes an interchange that did not begin; was the body's beginning cut off?"
            raise MappingError("interchange_incomplete", told, segment["place"])
        opened, level = self.interchange, self.envelope.interchange
        right = opened.inner or (0 if self.envelope.needs_group and not opened.messages else opened.messages)
        self._check_count(segment, {right}, "groups" if opened.inner else "messages")
        self._check_reference(segment, text_at(opened.segment, level.reference), level)
        self.interchange = None

    def finish(self) -> None:
        """The body's end. What began has to be closed, or the rest of it may be missing."""
        place = f"the end, behind {self.last}"
        self._check_message_closed(place)
        if self.interchange is not None:
            raise self._cut(self.envelope.interchange, self.interchange.segment, place)
        self._leave_group(place)

    def _check_message_closed(self, place: str) -> None:
        if self.message is not None:
            opening, level = self.message.opening, self.envelope.message
            told = f"the message of {opening['place']} has no {level.closes} before this; was it cut off?"
            raise MappingError("message_incomplete", f"{told} Send it whole.", place)

    def _cut(self, level: Level, opening: Segment, place: str) -> MappingError:
        told = f"the interchange of {opening['place']} has no {level.closes} before this; was it cut off?"
        return MappingError("interchange_incomplete", f"{told} Send it whole.", place)

    def _leave_group(self, place: str) -> None:
        if self.group is not None:
            self._note_missing(self.envelope.group.closes, place)
            self.group = None

    def _need_interchange(self, segment: Segment) -> None:
        if self.interchange is None:
            self._note_missing(self.envelope.interchange.opens, segment["place"])

    def _note_missing(self, tag: str, place: str) -> None:
        if tag not in self.noted:
            self.noted.add(tag)
            self.deviations.allow("envelope_missing", f"the envelope's {tag} is missing", place)

    def _check_count(self, segment: Segment, right: set[int], what: str) -> None:
        told = text_at(segment, 1)
        if not (told.isascii() and told.isdigit() and len(told) < 10 and int(told) in right):
            found = " or ".join(str(number) for number in sorted(right))
            reason = f"{segment['tag']} counts {told[:20]!r} {what}, and there are {found}"
            self.deviations.allow("count_wrong", reason, segment["place"])

    def _check_reference(self, segment: Segment, right: str, level: Level) -> None:
        told = text_at(segment, 2)
        if told != right:
            reason = f"{level.closes} says {told[:35]!r} where its {level.opens} says {right[:35]!r}"
            self.deviations.allow("reference_wrong", reason, segment["place"])
