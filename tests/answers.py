"""Holds every answer of the API to the OpenAPI document that it is served with: its status, its kind, its schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask, Request, Response, request
from jsonschema_rs import Draft202012Validator

_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
OF_ANY_OPERATION = frozenset({405, 429, 500, 503})
"""What any operation may answer, as the document's `default` says: the method, too many attempts, or our own fault."""


def hold_to_document(app: Flask) -> None:
    """From now on an answer outside the document fails the test that asked for it."""
    text: Callable[[], str] = app.extensions["lineside-openapi"]

    @app.after_request
    def check(response: Response) -> Response:
        fault = fault_of(text(), request, response)
        assert fault is None, fault
        return response


def fault_of(document: str, asked: Request, answered: Response) -> str | None:
    """What the answer has that the document does not say; None where all is as documented."""
    operation = _operation(document, asked)
    if operation is None or asked.method == "OPTIONS":
        return None
    place = f"{asked.method} {asked.full_path} answers {answered.status_code}"
    said = operation["responses"].get(str(answered.status_code))
    if said is None and answered.status_code in OF_ANY_OPERATION:
        said = _read(document)["components"]["responses"]["DEFAULT_ERROR"]
    if said is None:
        return f"{place}, which the document does not name: {answered.get_data(as_text=True)[:500]}"
    content = said.get("content", {})
    if answered.status_code in (204, 304) or asked.method == "HEAD":
        return None
    if not content:
        return f"{place} with a body that the document lacks" if answered.content_length != 0 else None
    if answered.mimetype not in content and "*/*" not in content:
        return f"{place} with {answered.mimetype}; the document names {', '.join(content)}"
    if answered.mimetype != "application/json" and not answered.mimetype.endswith("+json"):
        return None
    schema = json.dumps(content.get(answered.mimetype, {}).get("schema", {}))
    faults = [
        f"{error.instance_path}: {error.message}" for error in _validator(document, schema).iter_errors(answered.json)
    ]
    return f"{place} outside its schema: {'; '.join(faults)[:2_000]}" if faults else None


def _operation(document: str, asked: Request) -> Any:
    if asked.url_rule is None:
        return None
    path = _CONVERTER.sub(r"{\1}", asked.url_rule.rule)
    method = "get" if asked.method == "HEAD" else asked.method.lower()
    return _read(document)["paths"].get(path, {}).get(method)


@cache
def _read(document: str) -> Any:
    return json.loads(document)


@cache
def _validator(document: str, schema: str) -> Draft202012Validator:
    parts = {"components": _read(document)["components"]}
    return Draft202012Validator({**json.loads(schema), **parts}, validate_formats=True)
