"""``production.order.released.v1`` as a schedule with one request.

The event does not say which segment needs which material, so all is needed by the first and the product made by the
last. An order without segments has one that brackets its materials: without a name where the version allows that,
under the order's number where it does not (V0700).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, OutboundContext
from mappings.outbound.b2mml.document import (
    Entry,
    document,
    event_scope,
    is_first,
    material,
    scope,
    site_scope,
    version_of,
)
from mappings.outbound.lines import item_facts

_CONSUMED, _PRODUCED = Entry("MaterialUse", "Consumed"), Entry("MaterialUse", "Produced")


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    data = event.data
    first = is_first(version_of(context))
    request = [
        Entry("ID", data["order_id"]),
        Entry("Description", item_facts(data["item"], context).description),
        Entry("OperationsType", "Production"),
        Entry("StartTime", data.get("start")),
        Entry("EndTime", data.get("end")),
        Entry("RequestState", "Released"),
        *event_scope(data),
        *_segments(data, context),
    ]
    schedule = [
        Entry("ID", context.posting_key),
        Entry("PublishedDate", data["event_time"]),
        Entry("OperationsType", "Production"),
        *site_scope(context),
        Entry("ProductionRequest" if first else "OperationsRequest", request),
    ]
    return document("ProductionSchedule" if first else "OperationsSchedule", schedule, data["event_time"], context)


def _segments(data: Mapping[str, Any], context: OutboundContext) -> list[Entry]:
    segments = data.get("segments") or [{}]
    needed = [
        Entry("MaterialRequirement", material(number, line, _CONSUMED, (), context))
        for number, line in enumerate(data.get("materials", ()), start=1)
    ]
    made = Entry("MaterialRequirement", material(len(needed) + 1, data, _PRODUCED, (), context))
    written = []
    for index, segment in enumerate(segments):
        materials = (needed if index == 0 else []) + ([made] if index == len(segments) - 1 else [])
        written.append(Entry("SegmentRequirement", _segment(segment, data, context) + materials))
    return written


def _segment(segment: Mapping[str, Any], data: Mapping[str, Any], context: OutboundContext) -> list[Entry]:
    newest_needs = data["order_id"] if version_of(context).code == "V0700" else None
    name = segment.get("id") or newest_needs
    return [
        Entry("ID", name),
        Entry("Description", segment.get("description")),
        Entry("ProcessSegmentID", name),
        Entry("OperationsSegmentID", name),
        Entry("OperationsDefinitionID", data["item"] if newest_needs else None),
        *scope([("WorkCenter", segment.get("work_center"))]),
    ]
