"""EPCIS 2.0 in JSON: documents, query documents, bare events and lists of events, as plain values.

Source: GS1 EPCIS Standard 2.0, sections 7.4 (events) and 10 (JSON and JSON-LD binding). A place in a document is the
path of the value: ``epcisBody.eventList[2].bizStep``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mappings.context import CORRECT_IT, Deviations, MappingError
from mappings.formats import json_body

EVENT_BOUND = 2_000
EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
_DOCUMENTS = {"EPCISDocument": ("epcisBody",), "EPCISQueryDocument": ("epcisBody", "queryResults", "resultsBody")}
_TYPE = re.compile(r"(?:epcis:|https?://(?:ref|ns)\.gs1\.org/epcis/)(\w+)", re.ASCII)


@dataclass(frozen=True)
class RawEvent:
    """One event as it was sent; ``place`` is where it stands, empty for a body that is one event."""

    place: str
    type: str
    value: Mapping[str, Any]

    def at(self, field: str) -> str:
        return f"{self.place}.{field}" if self.place else field


def read(body: bytes, deviations: Deviations | None = None) -> Any:
    """The JSON value of the body. Raises MappingError with line and column where it is no JSON; what it holds is
    looked at by ``events_in``, since it may have travelled as the data of a CloudEvent as well."""
    return json_body.read(body, deviations)


def events_in(document: Any, deviations: Deviations) -> Iterator[RawEvent]:
    """The events of a body, each once. What the envelope lacks is a deviation where the events are there all the same.

    Raises MappingError where the value holds no list of events, or more than ``EVENT_BOUND`` of them.
    """
    if isinstance(document, list):
        return _raw_events(document, "", deviations)
    if not isinstance(document, Mapping):
        raise _no_document("a JSON object or a list of events is needed")
    kind = _type_of(document, "", deviations)
    if kind not in _DOCUMENTS and kind not in EVENT_TYPES:
        raise _no_document(f"its type is {kind[:60]!r}")
    if "@context" not in document:
        deviations.allow("context_missing", "the document has no @context", "@context")
    if kind in EVENT_TYPES:
        return iter([RawEvent("", kind, document)])
    _check_envelope(kind, document, deviations)
    return _raw_events(*_event_list(document, _DOCUMENTS[kind], deviations), deviations)


def _check_envelope(kind: str, document: Mapping[str, Any], deviations: Deviations) -> None:
    version = document.get("schemaVersion")
    if not isinstance(version, str) or version.partition(".")[0] != "2":
        deviations.allow("version_unknown", "the document does not say that it is of EPCIS 2", "schemaVersion")
    if kind == "EPCISDocument" and not isinstance(document.get("creationDate"), str):
        deviations.allow("creation_missing", "the document does not say when it was made", "creationDate")


def _event_list(document: Mapping[str, Any], path: tuple[str, ...], deviations: Deviations) -> tuple[list[Any], str]:
    """The list and its place; a document that holds the list by itself, or one event instead of a list, is read."""
    holder: Any = document
    place = ""
    for name in (*path, "eventList"):
        if not isinstance(holder, Mapping) or name not in holder:
            break
        holder, place = holder[name], f"{place}.{name}" if place else name
    else:
        return _as_list(holder, place, deviations), place
    if "eventList" in document:
        deviations.allow("list_misplaced", "the list of events does not stand in the body", "eventList")
        return _as_list(document["eventList"], "eventList", deviations), "eventList"
    wanted = ".".join((*path, "eventList"))
    raise MappingError("events_missing", f"the document has no {wanted}, so it reports nothing. {CORRECT_IT}", wanted)


def _as_list(value: Any, place: str, deviations: Deviations) -> list[Any]:
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping):
        deviations.allow("list_expected", "one event stands where a list of events belongs", place)
        return [value]
    raise MappingError("events_missing", f"{place} must be a list of events. {CORRECT_IT}", place)


def _raw_events(events: list[Any], place: str, deviations: Deviations) -> Iterator[RawEvent]:
    if not 1 <= len(events) <= EVENT_BOUND:
        told = f"there are {len(events):,} events, and 1 to {EVENT_BOUND:,} are taken; have them sent in parts."
        raise MappingError("events_missing" if not events else "too_many_events", told, place or "the list")
    for index, value in enumerate(events):
        here = f"{place}[{index}]"
        if not isinstance(value, Mapping):
            raise MappingError("event_invalid", f"{here} must be an object. {CORRECT_IT}", here)
        kind = _type_of(value, here, deviations)
        if kind not in EVENT_TYPES:
            raise MappingError(
                "event_type_unknown",
                f"{here} is of type {kind[:60]!r}; known are: {', '.join(EVENT_TYPES)}. {CORRECT_IT}",
                f"{here}.type",
            )
        yield RawEvent(here, kind, value)


def _type_of(value: Mapping[str, Any], place: str, deviations: Deviations) -> str:
    here = f"{place}.type" if place else "type"
    name = "type" if "type" in value else next((key for key in ("@type", "isA") if key in value), "type")
    kind = value.get(name)
    if not isinstance(kind, str):
        told = f"{here} is missing or no text; it says what the object is. {CORRECT_IT}"
        raise MappingError("event_type_unknown", told, here)
    if name != "type":
        deviations.allow("type_form", f"{name} stands for type", here)
    if found := _TYPE.fullmatch(kind):
        deviations.allow("type_form", f"{kind[:80]!r} stands for {found[1]}", here)
        return found[1]
    return kind


def _no_document(told: str) -> MappingError:
    wanted = f"{', '.join(_DOCUMENTS)} or an event"
    reason = f"the body is no EPCIS in JSON: {told}; it must be an {wanted}. {CORRECT_IT}"
    return MappingError("document_unknown", reason, "type")
