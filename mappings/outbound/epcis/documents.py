"""The document around EPCIS events, and the events' common fields."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from mappings.context import Event, MappingError, OutboundContext
from mappings.formats.cbv import NAMESPACE, REASON
from mappings.formats.gs1_identifiers import has_right_digit, place_link
from mappings.outbound.lines import with_values

CONTEXT = "https://ref.gs1.org/standards/epcis/epcis-context.jsonld"
EVENT_ID = "urn:lineside:posting:"
_GLN = re.compile(r"(\d{13})(?:\.(.+))?", re.ASCII)
_URI = re.compile(r"[a-z][a-z0-9+.-]*:\S+", re.ASCII)


def captured(events: Sequence[Mapping[str, Any]], event: Event, context: OutboundContext) -> dict[str, Any] | None:
    """The document of these events, the last of which has the id that a look-up asks for; None where there are none."""
    if not events:
        return None
    main = context.options.get("event_id", EVENT_ID) + context.posting_key
    ids = [*(f"{main}:{number}" for number in range(1, len(events))), main]
    named = [{"eventID": name, **one} for name, one in zip(ids, events, strict=True)]
    # No clock is read here: a repeat is the same bytes, so a declaration bears the time of what it takes back.
    wrong = {"declarationTime": event.data["event_time"], "reason": "did_not_occur"}
    return {
        "capture": _document(named, event, context),
        "error_declaration": _document([{**one, "errorDeclaration": wrong} for one in named], event, context),
    }


def _document(events: Sequence[Mapping[str, Any]], event: Event, context: OutboundContext) -> dict[str, Any]:
    return {
        "@context": [CONTEXT, *([NAMESPACE] if any(REASON in one for one in events) else [])],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": event.data["event_time"],
        "instanceIdentifier": context.posting_key,
        "epcisBody": {"eventList": list(events)},
    }


def epcis_event(kind: str, step: str, event: Event, context: OutboundContext, **fields: Any) -> dict[str, Any]:
    """An event of this type and business step; fields without a value are left out."""
    moment = datetime.fromisoformat(event.data["event_time"])
    return with_values(
        type=kind,
        eventTime=event.data["event_time"],
        eventTimeZoneOffset=_offset(moment.astimezone(ZoneInfo(context.plant.timezone)).utcoffset() or timedelta()),
        bizStep=step,
        **fields,
    )


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def transaction(kind: str | None, number: str, context: OutboundContext) -> dict[str, str]:
    """A business transaction by its number; ``kind`` is a word of the CBV, or None where it has none for it."""
    gln = context.options.get("gln")
    issuer = f"urn:epcglobal:cbv:bt:{gln}:" if gln else "urn:lineside:bt:"
    uri = number if _URI.fullmatch(number) else issuer + quote(number, safe="")
    return with_values(type=kind, bizTransaction=uri)


def transformation_uri(data: Mapping[str, Any], context: OutboundContext) -> str:
    """What the events of one transformation share."""
    link = data.get("transformation_id") or f"{context.plant.code}/{data['order_id']}"
    return link if _URI.fullmatch(link) else "urn:lineside:transformation:" + quote(link, safe="")


def place_uri(place: Mapping[str, Any], context: OutboundContext) -> str | None:
    """The URI of a storage, of a bin in it (``P100-ST/A-01``), or else of the site; None where the option ``places``
    lists none of them."""
    storage, site = place.get("storage"), place.get("site") or context.plant.code
    bin_of = f"{storage}/{place['bin']}" if storage and place.get("bin") else None
    listed = context.options.get("places", {})
    found = next((listed[code] for code in (bin_of, storage) if code in listed), None)
    if found is None and storage is None:
        found = listed.get(site)
    return None if found is None else location_uri(found, context)


def location_uri(code: str, context: OutboundContext) -> str:
    """A GLN, with its extension behind a dot, as a Digital Link; a URI as it is."""
    found = _GLN.fullmatch(code)
    if found and has_right_digit(found[1]):
        return place_link(found[1]) + (f"/254/{quote(found[2], safe='')}" if found[2] else "")
    if _URI.fullmatch(code):
        return code
    raise MappingError(
        "option_invalid",
        f"the place {code[:80]!r} is neither a GLN nor a URI; mend the option places of target {context.target} in the "
        "topology file, then requeue.",
    )


def at_place(uri: str | None) -> dict[str, str] | None:
    return None if uri is None else {"id": uri}


def own_place(data: Mapping[str, Any], context: OutboundContext, line: Mapping[str, Any] | None = None) -> str | None:
    """Where the goods of an event are: the line's storage, else the event's, else the plant's own."""
    location = dict(data.get("location", {}))
    if line is not None and line.get("storage") not in (None, location.get("storage")):
        location = {"storage": line["storage"]}
    if "storage" not in location and (own := context.plant.options.get("storage")):
        location["storage"] = own
    return place_uri(location, context) or place_uri({"site": location.get("site")}, context)
