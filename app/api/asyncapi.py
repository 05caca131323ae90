"""The canonical events as an AsyncAPI 3.0 document: what may be sent to Lineside, and by which contract.

https://www.asyncapi.com/docs/reference/specification/v3.0.0 and CloudEvents 1.0.2, section 3.
"""

from __future__ import annotations

from typing import Any

from mappings.canonical import contract
from mappings.canonical.registry import SCHEMAS
from mappings.canonical.versions import newest_type

VERSION = "1"
_ATTRIBUTES: dict[str, tuple[str, bool]] = {
    "specversion": ("Always 1.0", True),
    "id": ("The sender's own id: the same for every attempt to send the event", True),
    "source": ("The source's code in the topology", True),
    "plant": ("The plant's code; may be left out where the source's key is for one plant", False),
    "time": ("When it happened, where the data do not say it in `event_time`", False),
    "partitionkey": ("The ordering key; without it the order or lot", False),
    "sequence": ("The order within the key; without it the time", False),
    "subject": ("For people", False),
    "dataschema": ("Where the contract is published", False),
    "traceparent": ("W3C trace context", False),
}


def document() -> dict[str, Any]:
    """One channel, one message a type and version; the data's schemas stand under `components`."""
    names = sorted(SCHEMAS)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Lineside",
            "version": VERSION,
            "description": "Canonical production and inventory events, as CloudEvents 1.0. Terms are those of ISA-95, "
            "and of EPCIS for traceability. Quantities are decimal texts with a unit, instants are RFC 3339.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {
            "messages": {
                "address": "/v1/messages",
                "title": "The inbox",
                "description": "What is answered with 202 is kept, and posted once.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
            }
        },
        "operations": {
            "receiveEvents": {
                "action": "receive",
                "channel": {"$ref": "#/channels/messages"},
                "summary": "Take an event in",
                "bindings": {"http": {"method": "POST", "bindingVersion": "0.3.0"}},
                "messages": [{"$ref": f"#/channels/messages/messages/{name}"} for name in names],
            }
        },
        "components": {
            "messages": {name: _message(name) for name in names},
            "schemas": {name: _data(name) for name in names},
        },
    }


def _message(event_type: str) -> dict[str, Any]:
    schema = contract.json_schema(event_type)
    newer = newest_type(event_type)
    told = schema["description"] + (f" Read as {newer}." if newer != event_type else "")
    attributes = {name: {"type": "string", "description": words} for name, (words, _) in _ATTRIBUTES.items()}
    required = [name for name, (_, needed) in _ATTRIBUTES.items() if needed]
    return {
        "name": event_type,
        "title": event_type,
        "summary": told,
        "contentType": "application/cloudevents+json",
        "payload": {
            "type": "object",
            "required": [*required, "type", "data"],
            "properties": {
                **attributes,
                "type": {"const": event_type},
                "data": {"$ref": f"#/components/schemas/{event_type}"},
            },
        },
    }


def _data(event_type: str) -> dict[str, Any]:
    """AsyncAPI's own schema dialect is draft 7; what is used here means the same in both."""
    return {key: value for key, value in contract.json_schema(event_type).items() if key != "$schema"}
