"""``shipment.confirmed.v1``: what is in each package, and the delivery that has left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.context import Event, MappingError, OutboundContext
from mappings.formats.gs1_identifiers import package_link
from mappings.outbound.epcis.documents import (
    at_place,
    captured,
    epcis_event,
    location_uri,
    own_place,
    transaction,
)
from mappings.outbound.epcis.objects import CHILDREN, objects


def to_document(event: Event, context: OutboundContext) -> Mapping[str, Any] | None:
    packages = event.data.get("packages", [])
    packed = [_packed(package, event, context) for package in packages if package.get("lines")]
    return captured([*packed, _shipped(event, context)], event, context)


def _packed(package: Mapping[str, Any], event: Event, context: OutboundContext) -> dict[str, Any]:
    return epcis_event(
        "AggregationEvent",
        "packing",
        event,
        context,
        action="ADD",
        parentID=package_link(package["sscc"]),
        disposition="in_progress",
        **objects(package["lines"], context, CHILDREN),
    )


def _shipped(event: Event, context: OutboundContext) -> dict[str, Any]:
    data = event.data
    found = objects(data.get("lines", ()), context)
    packages = [package_link(package["sscc"]) for package in data.get("packages", ())]
    if packages:
        found["epcList"] = packages + found.get("epcList", [])
    return epcis_event(
        "ObjectEvent",
        "shipping",
        event,
        context,
        action="OBSERVE",
        disposition="in_transit",
        readPoint=at_place(own_place(data, context)),
        bizTransactionList=_transactions(data, context),
        sourceList=_end("source", data.get("ship_from"), context),
        destinationList=_end("destination", data.get("ship_to"), context),
        **found,
    )


def _transactions(data: Mapping[str, Any], context: OutboundContext) -> list[dict[str, str]]:
    lines = [line for package in data.get("packages", ()) for line in package.get("lines", ())]
    references = [line["order_ref"] for line in (*lines, *data.get("lines", ())) if "order_ref" in line]
    orders = dict.fromkeys(one["id"] for one in references if one["type"] == "purchase_order")
    delivery = transaction("desadv", data["delivery_id"], context)
    return [delivery, *(transaction("po", order, context) for order in orders)]


def _end(name: str, code: str | None, context: OutboundContext) -> list[dict[str, str]]:
    """A partner's code that is neither a GLN nor listed has no place in EPCIS, which knows URIs alone."""
    if code is None:
        return []
    try:
        uri = location_uri(context.options.get("places", {}).get(code, code), context)
    except MappingError:
        if code in context.options.get("places", {}):
            raise
        return []
    return [{"type": "location", name: uri}]
