"""Material information: what items are, and how lots and sublots stand."""

from __future__ import annotations

from typing import Any

from mappings.context import Deviations
from mappings.formats.b2mml.document import open_document
from mappings.formats.b2mml.elements import Node, location, properties, quantities, without_none

_INFORMATION = "MaterialInformation"
_NOUNS = (_INFORMATION, "MaterialDefinition", "MaterialLot", "MaterialSubLot")
_SUB_LOTS = ("MaterialSubLot", "MaterialSubLotChild")
_ASSEMBLIES = ("AssemblyDefinition", "AssemblylDefinitionID", "AssemblyLot", "AssemblyLotID")
# Schemas before V0700 write MaterialSublotProperty; real senders write either.
_LOT_PROPERTIES = ("MaterialLotProperty", "MaterialSublotProperty", "MaterialSubLotProperty")


def read_material(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """A document about material as ``{created, definitions[], lots[], sub_lots[]}``; see the functions below.

    Raises MappingError where the body is not XML, is not about material, or takes something back.
    """
    document = open_document(body, _NOUNS, deviations or Deviations())
    found: dict[str, list[dict[str, Any]]] = {"definitions": [], "lots": [], "sub_lots": []}
    for noun in document.nouns:
        published = noun.text("PublishedDate")
        for one in noun.children if noun.name == _INFORMATION else [noun]:
            if one.name == "MaterialDefinition":
                found["definitions"].append(_definition(one, published))
            elif one.name == "MaterialLot":
                found["lots"].append(_lot(one, published))
            elif one.name == "MaterialSubLot":
                found["sub_lots"].append(_sub_lot(one, published))
    return without_none(created=document.created, **found)


def _definition(node: Node, published: str | None) -> dict[str, Any]:
    return without_none(
        place=node.place,
        id=node.text("ID"),
        version=node.text("Version"),
        description=node.text("Description"),
        published=node.text("PublishedDate") or published,
        start=node.text("EffectiveStartDate"),
        end=node.text("EffectiveEndDate"),
        properties=properties(node, "MaterialDefinitionProperty"),
        assembly=len(node.all(*_ASSEMBLIES)),
    )


def _lot(node: Node, published: str | None) -> dict[str, Any]:
    """As ``_state``, with ``item`` and ``sub_lots[]``."""
    return _state(node, published) | without_none(
        item=node.text("MaterialDefinitionID"),
        sub_lots=[_sub_lot(one, published) for one in node.all(*_SUB_LOTS)],
    )


def _sub_lot(node: Node, published: str | None) -> dict[str, Any]:
    """As ``_state``, with ``lot`` where it names its lot and ``inner``, the number of sublots within it."""
    return _state(node, published) | without_none(lot=node.text("MaterialLotID"), inner=len(node.all(*_SUB_LOTS)))


def _state(node: Node, published: str | None) -> dict[str, Any]:
    return without_none(
        place=node.place,
        id=node.text("ID"),
        published=node.text("PublishedDate") or published,
        status=node.text("Status"),
        disposition=node.text("Disposition"),
        location=location(node),
        quantities=quantities(node),
        properties=properties(node, *_LOT_PROPERTIES),
    )
