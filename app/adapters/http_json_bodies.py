"""What a REST system is sent of a document: all of it, or the part that the call names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.adapters.base import Document, PostingRequest
from app.adapters.json_answers import MISSING, pick
from app.errors import Refused

_PREFIX_CHARACTERS = 2


def short_key(posting_key: str) -> str:
    """A posting key without the letters that all have: 24 characters, which fit where 25 are the most (SAP's BKTXT)."""
    return posting_key[_PREFIX_CHARACTERS:]


def values_of(request: PostingRequest) -> dict[str, str]:
    """What stands for the placeholders of a posting's call."""
    key = request.posting_key
    return {"kind": request.kind, "plant": request.plant, "posting_key": key, "short_key": short_key(key)}


def body_of(call: Mapping[str, Any], document: Document, values: Mapping[str, str]) -> bytes:
    """The request's body; raises Refused where the document lacks the part that the call sends."""
    return json.dumps(part_of(call, document, values), ensure_ascii=False, allow_nan=False).encode()


def part_of(call: Mapping[str, Any], document: Document, values: Mapping[str, str]) -> Any:
    """The document, or the part of it that the call sends; raises Refused where it lacks that.

    In such a part a text that is a placeholder and nothing else stands for its value: a mapping cannot know the key of
    the reversal that it writes.
    """
    part: Any = document
    if "part" in call:
        part = pick(document, call["part"])
        if part is MISSING or part is None:
            told = f"the document has no part {call['part']!r} for this call; do it in the target by hand"
            raise Refused("document_part_missing", told, call["part"])
        part = _filled(part, values)
    return part


def _filled(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {name: _filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    if isinstance(value, str) and value[:1] == "{" and value[-1:] == "}":
        return values.get(value[1:-1], value)
    return value
