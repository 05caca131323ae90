"""Product and operations definitions: what an item is made of, segment by segment."""

from __future__ import annotations

from typing import Any

from mappings.context import Deviations
from mappings.formats.b2mml.document import open_document
from mappings.formats.b2mml.elements import Node, material, nested, without_none

_INFORMATION = ("ProductInformation", "OperationsDefinitionInformation")
_DEFINITIONS = ("ProductDefinition", "OperationsDefinition")
_SEGMENTS = ("ProductSegment", "OperationsSegment", "OperationsSegmentChild")
_BILLS = ("ManufacturingBill", "OperationsMaterialBill", "OperationsMaterialBillID")


def read_definition(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A document of definitions as ``{created, definitions[]}``; see ``_definition`` below.

    Raises MappingError where the body is not XML, defines no product or operations, or takes something back.
    """
    document = open_document(body, (*_INFORMATION, *_DEFINITIONS), deviations or Deviations())
    found = []
    for noun in document.nouns:
        published = noun.text("PublishedDate")
        inner = noun.all(*_DEFINITIONS) if noun.name in _INFORMATION else [noun]
        found += [_definition(one, published) for one in inner]
    return without_none(created=document.created, definitions=found)


def _definition(node: Node, published: str | None) -> dict[str, Any]:
    return without_none(
        place=node.place,
        id=node.text("ID"),
        version=node.text("Version"),
        operations_type=node.text("OperationsType"),
        published=node.text("PublishedDate") or published,
        start=node.text("EffectiveStartDate"),
        end=node.text("EffectiveEndDate"),
        bills=len(node.all(*_BILLS)),
        segments=[_segment(one) for one in nested(node, *_SEGMENTS)],
    )


def _segment(segment: Node) -> dict[str, Any]:
    specified = segment.all("MaterialSpecification")
    return without_none(
        place=segment.place,
        id=segment.text("ID", "ProcessSegmentID"),
        materials=[material(one, None, ("MaterialSpecificationProperty",)) for one in specified],
    )
