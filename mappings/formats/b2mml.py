"""Production and operations performance of B2MML, from V0401 to V0700, as plain values.

The versions differ in namespace and in names (ProductionRequestID became OperationsRequestID, a nested
SegmentResponse became SegmentResponseChild), not in shape, so elements are known by their local names. Senders are
seldom valid against their own schema; what is needed is checked by the mapping, the rest is not looked at.
"The Business To Manufacturing Markup Language (B2MML) is used courtesy of MESA International."
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Any

from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.formats import xml_body

_PERFORMANCES = ("ProductionPerformance", "OperationsPerformance")
_RESPONSES = ("ProductionResponse", "OperationsResponse")
_SEGMENTS = ("SegmentResponse", "SegmentResponseChild")
_REQUEST_IDS = ("ProductionRequestID", "OperationsRequestID")
# From the most telling name to the least: what the order calls its segment, what the process calls it, the response's.
_SEGMENT_IDS = ("SegmentRequirementID", "ProductSegmentID", "OperationsSegmentID", "ProcessSegmentID", "ID")
# V0401 knows these beside MaterialActual; their names say the use.
_ACTUALS = {"MaterialActual": None, "MaterialProducedActual": "Produced", "MaterialConsumedActual": "Consumed"}
_TIMES = ("ActualEndTime", "ActualStartTime")


def read_performance(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A performance document as ``{created, published, operations_type, responses[]}``; see ``_response`` below.

    Raises MappingError where the body is not XML, or is not a performance document.
    """
    root = xml_body.read(body)
    performances = [root] if local_name(root) in _PERFORMANCES else list(_descendants(root, _PERFORMANCES))
    if not performances:
        raise MappingError(
            "document_unknown", f"the document is a {local_name(root)}; it must hold a {' or a '.join(_PERFORMANCES)}."
        )
    return _without_none(
        created=_first_text(root, ("CreationDateTime",)),
        responses=[_response(response, one) for one in performances for response in children(one, *_RESPONSES)],
    )


def local_name(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The element's own children with one of these local names."""
    return (child for child in element if isinstance(child.tag, str) and local_name(child) in names)


def text(element: etree._Element | None, *names: str) -> str | None:
    """The trimmed text of the first child whose name comes first among ``names``; None where there is none."""
    if element is None:
        return None
    found: dict[str, str] = {}
    for child in children(element, *names):
        if child.text and (trimmed := child.text.strip()):
            found.setdefault(local_name(child), trimmed)
    return next((found[name] for name in names if name in found), None)


def _descendants(root: etree._Element, names: tuple[str, ...]) -> Iterator[etree._Element]:
    return (element for element in root.iter() if isinstance(element.tag, str) and local_name(element) in names)


def _first_text(root: etree._Element, names: tuple[str, ...]) -> str | None:
    return next((found.text.strip() for found in _descendants(root, names) if found.text), None)


def _response(response: etree._Element, performance: etree._Element) -> dict[str, Any]:
    return _without_none(
        order=text(response, *_REQUEST_IDS),
        id=text(response, "ID"),
        state=text(response, "ResponseState"),
        operations_type=text(response, "OperationsType") or text(performance, "OperationsType"),
        time=text(response, "EndTime") or text(performance, "EndTime", "Endtime", "PublishedDate"),
        location=_location(response) or _location(performance),
        segments=[_segment(segment) for segment in _nested(response)],
    )


def _nested(response: etree._Element) -> Iterator[etree._Element]:
    """Segments and the segments within them, outer before inner; the reader bounds how deep they nest."""
    waiting = deque(children(response, *_SEGMENTS))
    while waiting:
        segment = waiting.popleft()
        yield segment
        waiting.extendleft(reversed(list(children(segment, *_SEGMENTS))))


def _segment(segment: etree._Element) -> dict[str, Any]:
    return _without_none(
        id=text(segment, *_SEGMENT_IDS),
        order=text(segment, *_REQUEST_IDS),
        time=text(segment, *_TIMES),
        posted=text(segment, "PostingDate", "PublishedDate"),
        location=_location(segment),
        materials=[_material(actual) for actual in children(segment, *_ACTUALS)],
    )


def _material(actual: etree._Element) -> dict[str, Any]:
    use = next(children(actual, "MaterialUse"), None)
    return _without_none(
        place=f"{local_name(actual)} in line {actual.sourceline}",
        item=text(actual, "MaterialDefinitionID"),
        lots=[lot.text.strip() for lot in children(actual, "MaterialLotID") if lot.text and lot.text.strip()],
        sub_lot=text(actual, "MaterialSubLotID"),
        use=_ACTUALS[local_name(actual)] or text(actual, "MaterialUse"),
        other_use=use.get("OtherValue") if use is not None else None,
        location=_location(actual),
        quantities=[_quantity(quantity) for quantity in children(actual, "Quantity")],
        assembly=next(children(actual, "AssemblyActual"), None) is not None,
        properties=_properties(actual),
    )


def _quantity(quantity: etree._Element) -> dict[str, Any]:
    return _without_none(value=text(quantity, "QuantityString"), uom=text(quantity, "UnitOfMeasure"))


def _properties(actual: etree._Element) -> dict[str, str]:
    names = tuple(f"{name}Property" for name in _ACTUALS)
    found = {}
    for entry in children(actual, *names):
        name, value = text(entry, "ID"), text(next(children(entry, "Value"), None), "ValueString")
        if name and value:
            found[name] = value
    return found


def _location(element: etree._Element) -> dict[str, str]:
    """Equipment by its level, from nested Location, HierarchyScope or StorageLocation elements."""
    found = {}
    storage = next(children(element, "StorageLocation"), None)
    if (stored := text(storage, "Location")) is not None:
        found["StorageZone"] = stored
    scope = next(children(element, "Location", "HierarchyScope"), None)
    while scope is not None:
        level, equipment = text(scope, "EquipmentElementLevel", "EquipmentLevel"), text(scope, "EquipmentID")
        if level and equipment:
            found[level] = equipment
        scope = next(children(scope, "Location", "HierarchyScopeChild"), None)
    return found


def _without_none(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None and value != {}}
