"""What kinds of body are taken, and whether a body is what its content type says."""

from __future__ import annotations

from typing import Any, Literal

from werkzeug.http import parse_options_header

from app.web.problems import FieldError, Problem
from mappings.context import MappingError
from mappings.formats import json_body, xml_body

Kind = Literal["json", "xml", "other"]

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
_OTHER = frozenset(
    {
        "text/plain",
        "text/csv",
        "application/edi-x12",
        "application/edifact",
        "application/octet-stream",
    }
)


def media_type(content_type: str | None) -> str:
    """The bare type in small letters; empty where none is given."""
    return parse_options_header(content_type)[0].lower() if content_type else ""


def kind_of(bare_type: str) -> Kind:
    """How a body of this type is read; raises Problem for a type that nobody here can read."""
    if bare_type == "application/json" or bare_type.endswith("+json"):
        return "json"
    if bare_type in ("application/xml", "text/xml") or bare_type.endswith("+xml"):
        return "xml"
    if bare_type in _OTHER:
        return "other"
    known = ", ".join(sorted({STRUCTURED, BATCH, "application/json", "application/xml", "text/xml", *_OTHER}))
    given = repr(bare_type[:80]) if bare_type else "missing"
    raise Problem(415, "unsupported_media_type", f"The Content-Type is {given}; send one of: {known}.")


def parsed(body: bytes, kind: Kind, pointer: str = "") -> Any:
    """The value of a JSON body; None for any other kind. Raises Problem where the body is not what it says it is.

    XML is read here only to refuse what is none and what could harm a reader (a document type, entities).
    """
    try:
        if kind == "json":
            return json_body.read(body)
        if kind == "xml":
            xml_body.read(body)
    except MappingError as error:
        raise unreadable(error, pointer) from None
    return None


def unreadable(error: MappingError, pointer: str = "") -> Problem:
    status, code = (422, "refused") if error.code == "xml_forbidden" else (400, "body_invalid")
    detail = error.reason[:1].upper() + error.reason[1:]
    fault = FieldError(error.reason, pointer=pointer or None, place=error.field)
    return Problem(status, code, detail, [fault], more={"code": error.code})
