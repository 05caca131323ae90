"""Errors as RFC 9457 problem details."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, request
from flask.json import dumps

CONTENT_TYPE = "application/problem+json"

TITLES: Mapping[str, str] = {
    "bad_request": "The request cannot be understood",
    "not_authenticated": "Authentication is needed",
    "forbidden": "This is not allowed",
    "not_found": "There is no such thing",
    "method_not_allowed": "The method is not allowed here",
    "conflict": "The same id came before with other content",
    "not_possible": "This is not possible in the present state",
    "too_large": "The body is too large",
    "unsupported_media_type": "The content type is not supported",
    "body_invalid": "The body cannot be read",
    "refused": "The message is refused",
    "too_many_attempts": "Too many attempts",
    "internal_error": "Lineside failed",
    "not_installed": "What this needs is not installed",
    "unavailable": "Lineside cannot take this now",
}


@dataclass(frozen=True)
class FieldError:
    """One fault. ``pointer`` is a JSON pointer into the body where one can be named, ``place`` a line and column, a
    header or a query parameter."""

    reason: str
    pointer: str | None = None
    place: str | None = None

    def wire(self) -> dict[str, str]:
        named = {"pointer": self.pointer, "place": self.place, "reason": self.reason}
        return {name: value for name, value in named.items() if value is not None}


@dataclass
class Problem(Exception):
    """Ends the request with this answer. ``code`` is a stable word, told in ``type``; ``more`` are further members."""

    status: int
    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return TITLES[self.code]

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.detail}"

    def wire(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": f"urn:lineside:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = [error.wire() for error in self.errors]
        return body | dict(self.more)

    def response(self) -> Response:
        body = dumps(self.wire() | {"instance": request.path})
        return Response(body, self.status, headers=dict(self.headers), content_type=CONTENT_TYPE)
