"""XML whose elements are fields: a document as plain objects, lists and texts, by local names."""

from __future__ import annotations

from typing import Any

from lxml import etree

from mappings.context import Deviations, MappingError
from mappings.formats import xml_body

MAX_ELEMENTS = 100_000


def read(body: bytes, deviations: Deviations | None = None) -> dict[str, Any]:
    """What stands in the root: an element with others in it becomes an object, one without its trimmed text, and
    several of one name a list. Attributes are fields of their element, unless an element has their name.

    Raises MappingError where the body is no XML, or has more than ``MAX_ELEMENTS`` elements.
    """
    root = xml_body.read(body)
    if sum(1 for _ in root.iter()) > MAX_ELEMENTS:
        raise MappingError("xml_too_large", f"the body has more than {MAX_ELEMENTS:,} elements.")
    value = _value(root)
    return value if isinstance(value, dict) else {}


def _value(element: etree._Element) -> Any:
    """Not deeper than the 256 levels that the parser takes."""
    children = [child for child in element if isinstance(child.tag, str)]
    attributes = {_local(str(name)): str(text) for name, text in element.attrib.items()}
    if not children and not attributes:
        return (element.text or "").strip()
    fields: dict[str, Any] = {}
    for child in children:
        name, value = _local(str(child.tag)), _value(child)
        if name not in fields:
            fields[name] = value
        elif isinstance(fields[name], list):
            fields[name].append(value)
        else:
            fields[name] = [fields[name], value]
    own_text = {"text": (element.text or "").strip()} if not children else {}
    return attributes | own_text | fields


def _local(name: str) -> str:
    return name.rpartition("}")[2]
