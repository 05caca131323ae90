"""The contracts of canonical events, for programs that check before they send."""

from __future__ import annotations

from flask import Response, jsonify, request
from flask_smorest import Blueprint
from marshmallow import Schema, fields

from app.access.policy import PUBLIC
from app.api.openapi_parts import done, problems
from app.api.routing import route
from app.web.problems import Problem
from mappings.canonical import contract
from mappings.canonical.registry import SCHEMAS
from mappings.canonical.versions import newest_type

blueprint = Blueprint("contracts", __name__, description="Contracts of canonical events.")
SCHEMA_KIND = "application/schema+json"


class ContractSchema(Schema):
    type = fields.String(required=True)
    schema = fields.String(required=True, metadata={"description": "Where its JSON Schema is"})
    read_as = fields.String(required=True, metadata={"description": "The newest version, as which its events are read"})


class ContractListSchema(Schema):
    contracts = fields.List(fields.Nested(ContractSchema), required=True)


@route(
    blueprint,
    "GET",
    "/v1/schemas",
    PUBLIC,
    summary="List the canonical types, each with its version",
    responses=done("All of them", ContractListSchema),
)
def show_contracts() -> Response:
    rows = [
        {"type": name, "schema": f"{request.path}/{name}", "read_as": newest_type(name)} for name in sorted(SCHEMAS)
    ]
    return jsonify({"contracts": rows})


@route(
    blueprint,
    "GET",
    "/v1/schemas/<event_type>",
    PUBLIC,
    summary="The contract of a type's data, as JSON Schema 2020-12",
    responses={**done("The schema", {"type": "object"}, kind=SCHEMA_KIND), **problems("404")},
)
def show_contract(event_type: str) -> Response:
    """Rules between fields have no place in it; whatever it passes, the answer to the message has the last word."""
    if event_type not in SCHEMAS:
        raise Problem(404, "not_found", f"There is no canonical type {event_type[:80]!r}; see /v1/schemas.")
    response = jsonify(contract.json_schema(event_type))
    response.content_type = SCHEMA_KIND
    return response
