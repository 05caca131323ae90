"""CloudEvents 1.0 over HTTP: structured, binary and batch."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from werkzeug.datastructures import Headers

from app.web.bodies import STRUCTURED, kind_of, media_type, parsed, unreadable
from app.web.problems import FieldError, Problem
from app.web.received import (
    KEY_BOUND,
    SEQUENCE_BOUND,
    TRACEPARENT_BOUND,
    TYPE_BOUND,
    AttributeReader,
    Received,
    read_message_id,
)
from mappings.context import MappingError

BATCH_BOUND = 10_000
_BLANKS = re.compile(r"[ \t\n\r]*")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
_DECODER = json.JSONDecoder()


def is_binary_mode(headers: Headers) -> bool:
    return any(name in headers for name in ("ce-specversion", "ce-id", "ce-type"))


def read_structured(body: bytes) -> Received:
    """One event in ``application/cloudevents+json``."""
    event = parsed(body, "json")
    if not isinstance(event, dict):
        raise Problem(422, "refused", "A CloudEvent is a JSON object.", [FieldError("must be an object", pointer="")])
    reader = AttributeReader(event, "/", in_body=True)
    if "data" not in event and "data_base64" not in event:
        reader.fault("data", "is missing")
    elif "data" in event and "data_base64" in event:
        reader.fault("data_base64", "must not stand beside data")
    read = _attributes(event, reader, media_type(_text(event.get("datacontenttype"))) or "application/json")
    if "data_base64" in event:
        return _with_decoded_data(event, read)
    data = event["data"]
    if isinstance(data, str):
        content = data.encode()
        kind = kind_of(read["data_type"])
        return _received(read, STRUCTURED, body, kind, data, content, parse=kind == "xml")
    return _received(read, STRUCTURED, body, "json", data, b"")


def read_binary(headers: Headers, body: bytes, content_type: str | None) -> Received:
    """One event whose attributes are ``ce-`` headers and whose data are the body."""
    named = {name[3:].lower(): value for name, value in headers.items() if name.lower().startswith("ce-")}
    attributes = {name: _header_value(name, value) for name, value in named.items()}
    reader = AttributeReader(attributes, "header ce-", in_body=False)
    read = _attributes(attributes, reader, media_type(content_type))
    return _with_body(read, body, media_type(content_type), content_type or "", attributes)


def _header_value(name: str, value: str) -> str:
    """A quoted string without its quotes, as older senders write it, then one round of percent-decoding (CloudEvents
    1.0.2, HTTP protocol binding, section 3.1.3.2). Raises Problem where the bytes are no UTF-8."""
    if len(value) >= 2 and value[0] == value[-1] == '"':
        value = _ESCAPED.sub(r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        fault = FieldError("is not UTF-8 where it is percent-encoded", place=f"header ce-{name}")
        raise Problem(422, "refused", f"The header ce-{name} cannot be decoded.", [fault]) from None


def split_batch(body: bytes) -> list[bytes]:
    """Each event of a JSON batch exactly as it was sent: a slice of the body, so no number is ever rewritten.

    Raises Problem when the batch as a whole cannot be read, is empty or too long.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Problem(
            400, "body_invalid", "JSON is sent in UTF-8.", [FieldError("is not UTF-8", place=f"byte {error.start}")]
        ) from None
    position = _skip(text, 0)
    if text[position : position + 1] != "[":
        raise _no_json(text, position, "a batch is a JSON array")
    position = _skip(text, position + 1)
    events: list[bytes] = []
    if text[position : position + 1] == "]":
        raise Problem(422, "refused", "The batch is empty; send at least one event.")
    while True:
        end = _end_of_value(text, position)
        events.append(text[position:end].encode())
        if len(events) > BATCH_BOUND:
            raise Problem(422, "refused", f"The batch has more than {BATCH_BOUND} events; send several.")
        position = _skip(text, end)
        sign = text[position : position + 1]
        if sign not in ("]", ","):
            raise _no_json(text, position, "expecting ',' or ']'")
        position = _skip(text, position + 1)
        if sign == "]":
            break
    if position != len(text):
        raise _no_json(text, position, "there is more after the array")
    return events


def _skip(text: str, position: int) -> int:
    found = _BLANKS.match(text, position)
    return found.end() if found is not None else position


def _end_of_value(text: str, position: int) -> int:
    try:
        return _DECODER.raw_decode(text, position)[1]
    except json.JSONDecodeError as error:
        raise _no_json(text, error.pos, error.msg) from None
    except (RecursionError, ValueError):
        raise Problem(400, "body_invalid", "The batch nests too deeply or holds a number beyond all bounds.") from None


def _no_json(text: str, position: int, reason: str) -> Problem:
    error = json.JSONDecodeError(reason, text, min(position, len(text)))
    place = f"line {error.lineno} column {error.colno}"
    return unreadable(MappingError("json_invalid", f"the body is not JSON: {reason} at {place}.", place))


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _attributes(values: Mapping[str, Any], reader: AttributeReader, data_type: str) -> dict[str, Any]:
    """Every attribute that Lineside reads; raises Problem with all that is wrong with them."""
    if values.get("specversion") != "1.0":
        reader.fault("specversion", 'must be "1.0"')
    time = reader.optional("time", 40)
    if time is not None and not _INSTANT.fullmatch(time):
        reader.fault("time", "must be an instant with its offset, such as 2026-01-01T08:00:00Z")
    read = {
        "source": reader.needed("source", KEY_BOUND),
        "source_message_id": read_message_id(reader),
        "type": reader.needed("type", TYPE_BOUND),
        "plant": reader.optional("plant", TYPE_BOUND),
        "time": time,
        "ordering_key": reader.optional("partitionkey", KEY_BOUND),
        "sequence": reader.optional("sequence", SEQUENCE_BOUND),
        "traceparent": reader.optional("traceparent", TRACEPARENT_BOUND),
        "data_type": data_type,
    }
    reader.finish("The CloudEvent cannot be used")
    return read


def _received(
    read: Mapping[str, Any],
    content_type: str,
    body: bytes,
    kind: Any,
    data: Any,
    raw_data: bytes,
    *,
    parse: bool = False,
) -> Received:
    if parse:
        parsed(raw_data, kind, "/data")
    named = {name: value for name, value in read.items() if name != "data_type"}
    return Received(
        **named, content_type=content_type, body=body, kind=kind, data=data, raw_data=raw_data, data_pointer="/data"
    )


def _with_decoded_data(event: Mapping[str, Any], read: Mapping[str, Any]) -> Received:
    """An event with ``data_base64`` is kept as its binary mode: the decoded data, and the attributes beside them."""
    try:
        data = base64.b64decode(event["data_base64"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        fault = FieldError("is not base64", pointer="/data_base64")
        raise Problem(422, "refused", "The data cannot be decoded.", [fault]) from None
    attributes = {name: value for name, value in event.items() if name != "data_base64" and isinstance(value, str)}
    return _with_body(read, data, read["data_type"], read["data_type"], attributes)


def _with_body(
    read: Mapping[str, Any], body: bytes, bare_type: str, content_type: str, attributes: Mapping[str, Any]
) -> Received:
    kind = kind_of(bare_type)
    data = parsed(body, kind)
    named = {name: value for name, value in read.items() if name != "data_type"}
    return Received(
        **named,
        content_type=content_type[:120],
        body=body,
        kind=kind,
        data=data,
        raw_data=body,
        attributes=dict(attributes),
    )
