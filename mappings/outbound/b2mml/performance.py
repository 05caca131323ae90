"""What production and issue documents share: one response with one segment, and the materials that it reports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mappings.context import OutboundContext
from mappings.outbound.b2mml.document import (
    Entry,
    document,
    event_scope,
    is_first,
    material,
    property_of,
    site_scope,
    storage_of,
    version_of,
)
from mappings.outbound.lines import storage_code

CONSUMED, PRODUCED = Entry("MaterialUse", "Consumed"), Entry("MaterialUse", "Produced")
# No version has a use for scrap; this is how Lineside reads it, too.
SCRAP = Entry("MaterialUse", "Other", "Scrap")


def performance(
    data: Mapping[str, Any], actuals: Sequence[Entry], context: OutboundContext, *, final: bool = False
) -> Mapping[str, Any]:
    first = is_first(version_of(context))
    response = [
        Entry("ID", context.posting_key),
        Entry("ProductionRequestID" if first else "OperationsRequestID", data["order_id"]),
        Entry("OperationsType", "Production"),
        Entry("EndTime", data["event_time"]),
        Entry("ResponseState", "Completed" if final else "Running"),
        Entry("SegmentResponse", [*_segment(data, context), *actuals]),
    ]
    report = [
        Entry("ID", context.posting_key),
        Entry("PublishedDate", data["event_time"]),
        Entry("OperationsType", "Production"),
        *site_scope(context),
        Entry("ProductionResponse" if first else "OperationsResponse", response),
    ]
    noun = "ProductionPerformance" if first else "OperationsPerformance"
    return document(noun, report, data["event_time"], context)


def _segment(data: Mapping[str, Any], context: OutboundContext) -> list[Entry]:
    """V0700 asks for an ID: where the event names no segment it is the order's."""
    segment = data.get("segment")
    fallback = data["order_id"] if version_of(context).code == "V0700" else None
    return [
        Entry("ID", segment or fallback),
        Entry("ActualEndTime", data["event_time"]),
        Entry("ProcessSegmentID", segment),
        *event_scope(data),
    ]


def actual(
    number: int,
    line: Mapping[str, Any],
    use: Entry,
    data: Mapping[str, Any],
    context: OutboundContext,
    more: Iterable[Entry] = (),
) -> Entry:
    """One MaterialActual with its storage location and serials."""
    serials = [property_of("SerialNumber", line["serials"])] if line.get("serials") else []
    named = line.get("storage") or data.get("location", {}).get("storage")
    storage = storage_of(storage_code(named, context), version_of(context))
    return Entry("MaterialActual", material(number, line, use, [*storage, *serials, *more], context))
