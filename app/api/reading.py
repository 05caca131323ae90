"""What all lists of the picture have in common: chosen fields, pages behind a key, and answers that are as before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import Response, jsonify, request
from marshmallow import Schema

from app.api.message_wire import instant
from app.api.openapi_parts import query
from app.web import parameters

AFTER_PAGING = [
    query("limit", "Rows a page", type="integer", minimum=1, maximum=200, default=50),
    query("after", "Where the page before ended; `next` holds it"),
]
FIELDS = query("fields", "Only these fields of each row, parted by commas")
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "description": "The `ETag` of an earlier answer; 304 where nothing is different",
    "schema": {"type": "string"},
}


def wire_of(schema: type[Schema]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """How a row of this schema is sent: the chosen fields, instants as text. Raises Problem for one that it lacks."""
    known = list(schema().fields)
    chosen = parameters.words(request.args, "fields", known) or known

    def wire(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _told(row[name]) for name in known if name in chosen}

    return wire


def answer(name: str, rows: Sequence[Any], following: str | None, behind: Mapping[str, Any]) -> Response:
    """One page; 304 where the caller has it already."""
    return one_answer({name: rows, "next": following, "behind": told_values(behind)})


def one_answer(told: Mapping[str, Any]) -> Response:
    """The same for one thing."""
    response = jsonify(told)
    response.add_etag()
    response.make_conditional(request)
    return response


def told_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row with its instants as text."""
    return {name: _told(value) for name, value in row.items()}


def _told(value: Any) -> Any:
    if isinstance(value, Mapping):
        return told_values(value)
    if isinstance(value, list):
        return [_told(one) for one in value]
    return instant(value) if isinstance(value, datetime) else value
