"""Issue: what it is in Tryton depends on who consumes.

Where completions consume by the bill of materials, an issue only brings material to the line (a transfer), or it would
be consumed twice; Tryton's warehouse is set up to take from the line first. Where the plant reports its issues itself,
the issue is the consumption: a production with inputs and no outputs, since Tryton ships nothing into a production
location.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import CORRECT_IT, Event, MappingError, OutboundContext
from mappings.outbound.tryton.places import consumes_by_bill, document, line, storage


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    default = data.get("location", {}).get("storage") or storage(context, "stock")
    lines = [line(component, default) for component in data["components"]]
    if not consumes_by_bill(context):
        return {**document("production", data, context), "inputs": lines, "outputs": [], "explode": False}
    return _staging(data, context, lines)


def _staging(
    data: Mapping[str, Any], context: OutboundContext, lines: list[dict[str, Any]]
) -> Mapping[str, Any] | None:
    target = storage(context, "work_in_process")
    lines = [entry for entry in lines if entry["storage"] != target]
    if not lines:
        return None
    sources = sorted({entry["storage"] for entry in lines})
    if len(sources) > 1:
        raise MappingError(
            "storage_mixed",
            f"One issue to the line comes from {', '.join(sources)}, and a Tryton transfer has one origin; "
            f"send one issue a storage. {CORRECT_IT}",
            "components",
        )
    return {
        **document("transfer", data, context),
        "from": sources[0],
        "to": target,
        "lines": [{**entry, "storage": None} for entry in lines],
    }
