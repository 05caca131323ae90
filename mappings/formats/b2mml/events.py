"""Operations events of V0700: what happened, and what the records within say of equipment."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mappings.context import Deviations
from mappings.formats.b2mml.document import open_document
from mappings.formats.b2mml.elements import Node, location, nested, properties, without_none

_INFORMATION = "OperationsEventInformation"
_EVENT = "OperationsEvent"


def read_events(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A document of events as ``{created, events[]}``; see ``_event`` below.

    Raises MappingError where the body is not XML, holds no operations events, or takes them back.
    """
    document = open_document(body, (_INFORMATION, _EVENT), deviations or Deviations())
    found = [one for noun in document.nouns for one in (noun.all(_EVENT) if noun.name == _INFORMATION else [noun])]
    return without_none(created=document.created, events=[_event(event) for event in _with_children(found)])


def _with_children(events: list[Node]) -> Iterator[Node]:
    for event in events:
        yield event
        yield from nested(event, "OperationsEventChild")


def _event(event: Node) -> dict[str, Any]:
    return without_none(
        place=event.place,
        id=event.text("ID"),
        kind=event.text("OperationsEventType"),
        description=event.text("Description"),
        time=event.text("EffectiveTimeStamp", "RecordTimeStamp"),
        recorded=event.text("RecordTimeStamp"),
        location=location(event),
        equipment=[_equipment(one) for one in _recorded_equipment(event)],
    )


def _recorded_equipment(event: Node) -> Iterator[Node]:
    """Event, record, entry, information object, equipment: records and entries may nest."""
    for record in nested(event, "OperationsEventRecord", "OperationsRecordChild"):
        for entry in nested(record, "OperationsRecordEntry", "OperationsRecordEntryChild"):
            for one in entry.all("InformationObject"):
                yield from nested(one, "Equipment", "EquipmentChild")


def _equipment(equipment: Node) -> dict[str, Any]:
    return without_none(
        place=equipment.place,
        id=equipment.text("ID"),
        location=location(equipment),
        properties=properties(equipment, "EquipmentProperty"),
    )
