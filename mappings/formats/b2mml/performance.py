"""Production and operations performance: what orders made, used and lost, and what stock was moved."""

from __future__ import annotations

from typing import Any

from mappings.context import Deviations
from mappings.formats.b2mml.document import open_document
from mappings.formats.b2mml.elements import Node, location, material, nested, without_none

_PERFORMANCES = ("ProductionPerformance", "OperationsPerformance")
_RESPONSES = ("ProductionResponse", "OperationsResponse")
_SEGMENTS = ("SegmentResponse", "SegmentResponseChild")
_REQUEST_IDS = ("ProductionRequestID", "OperationsRequestID")
# From the most telling name to the least: what the order calls its segment, what the process calls it, the response's.
_SEGMENT_IDS = ("SegmentRequirementID", "ProductSegmentID", "OperationsSegmentID", "ProcessSegmentID", "ID")
# V0401 and V0600 know these beside MaterialActual; their names say the use.
_ACTUALS = {
    "MaterialActual": None,
    "MaterialProducedActual": "Produced",
    "MaterialConsumedActual": "Consumed",
    "ConsumableActual": "Consumable",
}
_PROPERTIES = tuple(f"{name}Property" for name in _ACTUALS)


def read_performance(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A performance document as ``{created, responses[]}``; see ``_response`` below.

    Raises MappingError where the body is not XML, is not a performance document, or takes one back.
    """
    document = open_document(body, _PERFORMANCES, deviations or Deviations())
    return without_none(
        created=document.created,
        responses=[_response(response, one) for one in document.nouns for response in one.all(*_RESPONSES)],
    )


def _response(response: Node, performance: Node) -> dict[str, Any]:
    return without_none(
        place=response.place,
        order=response.text(*_REQUEST_IDS),
        id=response.text("ID"),
        state=response.text("ResponseState"),
        operations_type=response.text("OperationsType") or performance.text("OperationsType"),
        time=response.text("EndTime") or performance.text("EndTime", "Endtime", "PublishedDate"),
        location=location(response) or location(performance),
        segments=[_segment(segment) for segment in nested(response, *_SEGMENTS)],
    )


def _segment(segment: Node) -> dict[str, Any]:
    return without_none(
        place=segment.place,
        id=segment.text(*_SEGMENT_IDS),
        order=segment.text(*_REQUEST_IDS),
        time=segment.text("ActualEndTime", "ActualStartTime"),
        posted=segment.text("PostingDate", "PublishedDate"),
        operations_type=segment.text("OperationsType"),
        location=location(segment),
        materials=[material(actual, _ACTUALS[actual.name], _PROPERTIES) for actual in segment.all(*_ACTUALS)],
    )
