"""Parts of the OpenAPI document that no schema class can say."""

from __future__ import annotations

from typing import Any

from app.access.policy import Policy
from app.api.schemas import CloudEventSchema, ProblemSchema

_SAID = {
    "400": "The body or a parameter cannot be read; the problem names the place",
    "401": "No key or account, or a wrong one",
    "403": "The key or account may not do this",
    "404": "There is no such thing",
    "409": "Not possible in the present state, or the same id came before with other content",
    "413": "The body is larger than the configured limit",
    "415": "The content type is not supported",
    "422": "Refused; the problem names each fault",
    "501": "What this needs is not installed here; the problem says how to get it",
    "503": "The database cannot take it now; nothing was accepted, try again after Retry-After",
}


def problems(*statuses: str) -> dict[str, Any]:
    """Responses for these statuses, as problem details."""
    return {
        status: {
            "description": _SAID[status],
            "content": {"application/problem+json": {"schema": ProblemSchema}},
        }
        for status in statuses
    }


ANY_OTHER_ERROR = {
    "description": "Any other error, such as 405, 429 and 500, as problem details",
    "content": {"application/problem+json": {"schema": ProblemSchema}},
}


def done(description: str, schema: Any = None, status: str = "200", kind: str = "application/json") -> dict[str, Any]:
    """The response of a request that was done."""
    body = {"content": {kind: {"schema": schema}}} if schema is not None else {}
    return {status: {"description": description, **body}}


def json_request(schema: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def security_of(declared: Policy) -> list[dict[str, list[str]]]:
    """Which of the document's security schemes let a caller in."""
    keys: list[dict[str, list[str]]] = [{"source_key": []}] if declared.source_key else []
    keys += [{"party_key": []}] if declared.party is not None else []
    accounts: list[dict[str, list[str]]] = [{"account": []}] if declared.role is not None else []
    return keys + accounts + ([{}] if declared.loopback else [])


SECURITY_SCHEMES: dict[str, dict[str, str]] = {
    "source_key": {"type": "http", "scheme": "bearer", "description": "API key of a source (`ls_...`)"},
    "party_key": {"type": "http", "scheme": "bearer", "description": "API key of a supplier or customer (`lp_...`)"},
    "account": {"type": "http", "scheme": "basic", "description": "Account of a person; over TLS or loopback"},
}


def query(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {"in": "query", "name": name, "description": description, "schema": schema or {"type": "string"}}


SEND_PARAMETERS = [
    query("source", "For a vendor's own payload: the source's code; may be left out, the key says it"),
    query("type", "For a vendor's own payload: its type, as the source's mapping knows it"),
    query("plant", "The plant's code, where neither the event nor the key says it"),
    {
        "in": "header",
        "name": "Idempotency-Key",
        "description": "For a vendor's own payload: its id, the same for every attempt to send it",
        "schema": {"type": "string"},
    },
]

_COMPLETED = {
    "specversion": "1.0",
    "id": "P100-0001",
    "source": "mes-p100",
    "type": "production.completed.v1",
    "plant": "P100",
    "time": "2026-01-01T08:00:00Z",
    "data": {
        "event_time": "2026-01-01T08:00:00Z",
        "order_id": "1000123",
        "outputs": [{"item": "BIKE-100", "quantity": {"value": "5", "uom": "EA"}}],
    },
}

SEND_BODY = {
    "required": True,
    "content": {
        "application/cloudevents+json": {"schema": CloudEventSchema, "example": _COMPLETED},
        "application/cloudevents-batch+json": {
            "schema": {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/CloudEvent"}},
            "example": [_COMPLETED],
        },
        "application/json": {"schema": {}},
        "application/xml": {"schema": {"type": "string"}},
    },
}

PAGING = [
    query("limit", "Rows a page", type="integer", minimum=1, maximum=200, default=50),
    query("before", "Where the page before ended; `next` holds it", type="integer"),
]
