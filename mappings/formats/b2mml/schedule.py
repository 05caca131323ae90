"""Production and operations schedules: the orders that a plant is to make."""

from __future__ import annotations

from typing import Any

from mappings.context import Deviations
from mappings.formats.b2mml.document import open_document
from mappings.formats.b2mml.elements import Node, location, material, nested, without_none

_SCHEDULES = ("ProductionSchedule", "OperationsSchedule")
_REQUESTS = ("ProductionRequest", "OperationsRequest")
_SEGMENTS = ("SegmentRequirement", "SegmentRequirementChild")
# Its own name first: that is what a response calls SegmentRequirementID.
_SEGMENT_IDS = ("ID", "ProductSegmentID", "OperationsSegmentID", "ProcessSegmentID")
# V0401 and V0600 know these beside MaterialRequirement; their names say the use.
_REQUIREMENTS = {
    "MaterialRequirement": None,
    "MaterialProducedRequirement": "Produced",
    "MaterialConsumedRequirement": "Consumed",
    "ConsumableExpectedRequirement": "Consumable",
}
_PROPERTIES = tuple(f"{name}Property" for name in _REQUIREMENTS)


def read_schedule(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A schedule as ``{created, published, requests[]}``; see ``_request`` below.

    Raises MappingError where the body is not XML, is no schedule, or takes one back.
    """
    document = open_document(body, _SCHEDULES, deviations or Deviations())
    return without_none(
        created=document.created,
        published=next((text for noun in document.nouns if (text := noun.text("PublishedDate"))), None),
        requests=[_request(request, one) for one in document.nouns for request in one.all(*_REQUESTS)],
    )


def _request(request: Node, schedule: Node) -> dict[str, Any]:
    return without_none(
        place=request.place,
        id=request.text("ID"),
        state=request.text("RequestState") or schedule.text("ScheduleState"),
        operations_type=request.text("OperationsType") or schedule.text("OperationsType"),
        start=request.text("StartTime"),
        end=request.text("EndTime"),
        location=location(request) or location(schedule),
        segments=[_segment(segment) for segment in nested(request, *_SEGMENTS)],
    )


def _segment(segment: Node) -> dict[str, Any]:
    return without_none(
        place=segment.place,
        id=segment.text(*_SEGMENT_IDS),
        description=segment.text("Description"),
        operations_type=segment.text("OperationsType"),
        start=segment.text("EarliestStartTime"),
        end=segment.text("LatestEndTime"),
        location=location(segment),
        materials=[material(one, _REQUIREMENTS[one.name], _PROPERTIES) for one in segment.all(*_REQUIREMENTS)],
    )
