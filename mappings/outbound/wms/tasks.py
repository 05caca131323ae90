"""The shape of a warehouse task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import OutboundContext
from mappings.outbound.lines import base_quantity, item_facts, site, with_values


def task(kind: str, data: Mapping[str, Any], context: OutboundContext, lines: list[dict[str, Any]]) -> dict[str, Any]:
    """A task of ``kind`` (``put_away``, ``transfer``); ``external_id`` lets the WMS know a repeat."""
    return {
        "task": kind,
        "external_id": context.posting_key,
        "site": site(context),
        "requested_at": data["event_time"],
        "lines": lines,
    }


def task_line(
    line: Mapping[str, Any], wire: Mapping[str, str], context: OutboundContext, **places: Any
) -> dict[str, Any]:
    """One item of a task. What was reported stands beside the base amount, for the person who compares the two."""
    item = line["item"]
    return with_values(
        item=item,
        description=item_facts(item, context).description,
        lot=line.get("lot"),
        sub_lot=line.get("sub_lot"),
        serials=line.get("serials"),
        quantity=base_quantity(item, wire, context).wire(),
        reported=dict(wire),
        **places,
    )
