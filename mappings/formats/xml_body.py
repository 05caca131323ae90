"""XML as plant systems send it: elements, attributes and text, and none of the rest of the standard."""

from __future__ import annotations

import codecs
import re
from typing import Any

from lxml import etree

from mappings.context import MappingError

_ENCODINGS = frozenset({"utf-8", "ascii", "iso8859-1", "iso8859-15", "cp1252", "utf-16", "utf-16-le", "utf-16-be"})
_DECLARED = re.compile(rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def read(body: bytes) -> etree._Element:
    """The root element. No document type, no entities but XML's own five, no network, at most 256 levels.

    A document type is refused before the parser sees it (``xml_forbidden``): it is what entity bombs and external
    entities need, and no message of a plant needs one.
    """
    text = _decoded(body)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise MappingError("xml_forbidden", "the body declares a document type or an entity; send it without.")
    try:
        return etree.fromstring(text.encode("utf-8"), _parser())
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise MappingError(
            "xml_invalid", f"the body is not XML: {error.msg}.", f"line {line} column {column}"
        ) from None
    except UnicodeEncodeError:
        raise MappingError("encoding_invalid", "the body holds half a character.") from None


def text_at(body: bytes, path: str) -> str | None:
    """The trimmed text at a path of local names below the root, parted by dots (``ApplicationArea.BODID``), the first
    element of each name; None where there is none, or no XML."""
    try:
        element = read(body)
    except MappingError:
        return None
    for name in path.split("."):
        found = next((one for one in element if etree.QName(one.tag).localname == name), None)
        if found is None:
            return None
        element = found
    return (element.text or "").strip() or None


def _parser() -> etree.XMLParser:
    """A parser of its own for each body: one that is shared between threads is a lock between them.

    The text arrives as UTF-8 whatever its declaration says, so the parser is told, and the two cannot disagree.
    """
    options: dict[str, Any] = {
        "encoding": "utf-8",
        "resolve_entities": False,
        "no_network": True,
        "load_dtd": False,
        "huge_tree": False,
        "remove_comments": True,
        "remove_pis": True,
        "collect_ids": False,
    }
    return etree.XMLParser(**options)


def _decoded(body: bytes) -> str:
    encoding, mark = encoding_of(body)
    try:
        return body[mark:].decode(encoding)
    except UnicodeDecodeError as error:
        raise MappingError(
            "encoding_invalid",
            f"byte 0x{body[mark + error.start]:02x} is not {encoding}, which the body says it is in.",
            f"byte {mark + error.start}",
        ) from None


def encoding_of(body: bytes) -> tuple[str, int]:
    """The encoding by byte order mark, else by declaration, else UTF-8; and how many bytes the mark takes."""
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return encoding, len(mark)
    declared = _DECLARED.match(body.lstrip())
    if declared is None:
        return "utf-8", 0
    name = declared.group(1).decode("ascii")
    try:
        encoding = codecs.lookup(name).name
    except LookupError:
        encoding = ""
    if encoding not in _ENCODINGS:
        raise MappingError("encoding_unknown", f"the body is declared as {name!r}; send UTF-8.", "line 1")
    return encoding, 0
