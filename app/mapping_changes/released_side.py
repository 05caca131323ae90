"""The other side of a comparison: maps messages with the mappings of another release, in a process of its own.

Started by its path with a folder that holds that release's ``mappings``; of Lineside it imports nothing else. It reads
one JSON line a message and answers with one: ``{"events": [...]}`` or ``{"refused": {code, reason, field}}``.
"""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

READY = {"ready": True}
# Whatever a fault of that release's own code raises; the pipeline of that release would have had a dead letter.
_OWN_FAULTS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def main(folder: str) -> None:
    sys.path.insert(0, folder)
    import mappings
    import mappings.registry

    found = Path(mappings.__file__ or "").resolve().parents[1]
    if found != Path(folder).resolve():
        sys.exit(f"the mappings of {found} were loaded instead of those in {folder}")
    _say(READY)
    for line in sys.stdin:
        _say(_answer(json.loads(line)))


def _say(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=True, default=str), flush=True)


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    from mappings.context import MappingError

    try:
        return {"events": _events(request)}
    except MappingError as error:
        return {"refused": {"code": error.code, "reason": error.reason, "field": error.field}}
    except _OWN_FAULTS as error:
        reason = f"the released code failed: {type(error).__name__}: {error}"
        return {"refused": {"code": "internal_error", "reason": reason, "field": None}}


def _events(request: dict[str, Any]) -> list[dict[str, Any]]:
    from mappings.canonical import contract
    from mappings.context import Deviations, MappingError
    from mappings.formats import json_body
    from mappings.registry import INBOUND

    kind, deviations = request["type"], _built(Deviations, {"strict": request["strict"]})
    body, attributes = _unwrapped(request)
    if contract.is_canonical(kind):
        data = json_body.read(body) if isinstance(body, bytes) else body
        if isinstance(data, dict) and "event_time" not in data and "time" in attributes:
            data = {**data, "event_time": attributes["time"]}
        return [{"type": kind, "data": contract.validate(kind, data)}]
    mapping = INBOUND.get((request["family"], kind))
    if mapping is None:
        raise MappingError("type_unmapped", "the released code has no mapping for this type")
    parsed = mapping.read(body, deviations) if isinstance(body, bytes) else body
    events = mapping.to_canonical(parsed, _context(request, deviations))
    if not events and not hasattr(events, "reason"):
        raise MappingError("no_event", "the released mapping makes no event of it")
    return [{"type": event.type, "data": contract.validate(event.type, event.data)} for event in events]


def _unwrapped(request: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    from mappings.context import MappingError
    from mappings.formats import json_body

    body = base64.b64decode(request["body"])
    if not request["content_type"].startswith("application/cloudevents+json"):
        return body, request["attributes"]
    event = json_body.read(body)
    if not isinstance(event, dict) or "data" not in event:
        raise MappingError("data_missing", "the CloudEvent has no data", "data")
    data = event["data"]
    return (data.encode() if isinstance(data, str) else data), event


def _context(request: dict[str, Any], deviations: Any) -> Any:
    from mappings import context as contexts

    values = {
        "plant": _built(contexts.PlantFacts, request["plant"]),
        "source": request["source"],
        "source_message_id": request["source_message_id"],
        "received_at": datetime.fromisoformat(request["received_at"]),
        "units": request["units"],
        "options": request["options"],
        "deviations": deviations,
    }
    if hasattr(contexts, "Crosswalks"):
        values["crosswalks"] = _built(contexts.Crosswalks, request["crosswalks"])
    return _built(contexts.InboundContext, values)


def _built(kind: Any, values: dict[str, Any]) -> Any:
    """Another release may not know all that today's topology says."""
    if hasattr(kind, "__dataclass_fields__"):
        known = {each.name for each in fields(kind)}
        return kind(**{name: value for name, value in values.items() if name in known})
    return kind(**values)


if __name__ == "__main__":
    main(sys.argv[1])
