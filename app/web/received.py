"""One event as its sender gave it, whatever the way it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.inbox.accept import MAX_ID_LENGTH
from app.web.bodies import Kind
from app.web.problems import FieldError, Problem

TYPE_BOUND = 80
KEY_BOUND = 200
SEQUENCE_BOUND = 40
TRACEPARENT_BOUND = 64


@dataclass(frozen=True)
class Received:
    """``body`` is stored as it is. ``data`` is the JSON value that the message is about, None where it is not JSON.
    ``data_pointer`` says where that value stands in the body."""

    source: str | None
    plant: str | None
    type: str
    source_message_id: str
    content_type: str
    body: bytes
    kind: Kind
    data: Any
    raw_data: bytes
    data_pointer: str = ""
    time: str | None = None
    attributes: Mapping[str, Any] | None = None
    ordering_key: str | None = None
    sequence: str | None = None
    traceparent: str | None = None


class AttributeReader:
    """Reads names and ids from CloudEvents attributes, headers or a query, and collects every fault before it tells
    them. ``place`` turns an attribute's name into where it stands."""

    def __init__(self, values: Mapping[str, Any], prefix: str, *, in_body: bool) -> None:
        self._values = values
        self._prefix = prefix
        self._in_body = in_body
        self.faults: list[FieldError] = []

    def needed(self, name: str, bound: int) -> str:
        if self._values.get(name) in (None, ""):
            self.fault(name, "is missing")
            return ""
        return self.optional(name, bound) or ""

    def optional(self, name: str, bound: int) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # CloudEvents has whole numbers; names and sequences are often sent as such
        if not isinstance(value, str):
            self.fault(name, "must be a string")
            return None
        if len(value) > bound or not value.isprintable() or value != value.strip():
            self.fault(name, f"must have at most {bound} printable characters and no blanks at its ends")
            return None
        return value

    def fault(self, name: str, reason: str) -> None:
        where = f"{self._prefix}{name}"
        self.faults.append(
            FieldError(reason, pointer=where) if self._in_body else FieldError(reason, place=where),
        )

    def finish(self, what: str) -> None:
        """Raise Problem if anything was wrong."""
        if self.faults:
            told = "; ".join(f"{fault.pointer or fault.place} {fault.reason}" for fault in self.faults[:3])
            raise Problem(422, "refused", f"{what}: {told}.", self.faults)


def read_message_id(reader: AttributeReader, name: str = "id") -> str:
    return reader.needed(name, MAX_ID_LENGTH)
