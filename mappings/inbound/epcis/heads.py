"""What every canonical event of an EPCIS event begins with, and the documents and places that it names."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote, urlsplit

from mappings.context import InboundContext
from mappings.inbound.epcis.events import Reported
from mappings.inbound.epcis.items import party_code, place_of
from mappings.inbound.payload import present, wrong

_OF_A_COMPANY = re.compile(r"urn:epcglobal:cbv:bt:\d{13}:(.+)", re.ASCII)
_GDTI = re.compile(r"urn:epc:id:gdti:\d{6,12}\.\d{0,6}\.(.+)", re.ASCII)
_HASH_ID = re.compile(r"ni:///sha-256;([0-9a-f]{64})(?:\?.*)?", re.ASCII)
_CODE_LENGTH = 80
ORDER, PURCHASE_ORDER, DESPATCH_ADVICE, BILL_OF_LADING = "prodorder", "po", "desadv", "bol"
_PLACE_FIELDS = ("site", "storage", "bin")


def head(event: Reported, context: InboundContext, point: str | None = None) -> dict[str, Any]:
    """Times and place. ``point`` is where the goods are (``read_point`` or ``biz_location``); without one the business
    location, else the read point."""
    location: dict[str, Any] = {"site": context.plant.code}
    for name in (point,) if point else ("biz_location", "read_point"):
        listed = _point(event, name, context) if name in event.fields else None
        if listed is not None:
            location |= listed
            break
    return {**event.times, "location": location}


def _point(event: Reported, name: str, context: InboundContext) -> Mapping[str, Any] | None:
    path = "readPoint" if name == "read_point" else "bizLocation"
    return place_of(event.fields[name]["id"], event.at(f"{path}.id"), context)


def production_order(event: Reported, context: InboundContext, *, or_purchase_order: bool = False) -> str | None:
    """The number of the production order that the event belongs to; None where it names none.

    Raises MappingError where it names several: a quantity cannot be shared out between them.
    """
    wanted = (ORDER, *context.options.get("order_types", ()))
    numbers = _numbers(event, wanted)
    if not numbers and or_purchase_order:
        numbers = _numbers(event, (PURCHASE_ORDER,))
    return _only(numbers, "production order", event)


def document_number(event: Reported, kind: str) -> str | None:
    """The number of the only document of this type; None without one. Raises MappingError where there are several."""
    return _only(_numbers(event, (kind,)), f"business transaction of type {kind}", event)


def purchase_order_ref(event: Reported) -> dict[str, Any] | None:
    """The purchase order that all goods of the event are for; None where it names none, or several."""
    numbers = _numbers(event, (PURCHASE_ORDER,))
    return {"type": "purchase_order", "id": numbers[0]} if len(numbers) == 1 else None


def other_document(event: Reported, context: InboundContext) -> dict[str, str]:
    """What a receipt on neither an order nor an advice is known by: the first other document that it names, such as an
    invoice, else the event itself, else its message."""
    for index, one in enumerate(event.fields["transactions"]):
        kind = one["type"] or "business_transaction"
        if len(kind) <= _CODE_LENGTH:
            return {"type": kind, "id": _number(one["id"], event.at(f"bizTransactionList[{index}].bizTransaction"))}
    return {"type": "epcis_event", "id": _event_name(event, context)}


def _event_name(event: Reported, context: InboundContext) -> str:
    """A name that a document may have: an event's hash id (CBV 2.0, section 8.9) is longer, and its hash is not."""
    name: str = event.fields.get("event_id", context.source_message_id)
    if found := _HASH_ID.fullmatch(name):
        return found[1]
    return name if len(name) <= _CODE_LENGTH else hashlib.sha256(name.encode()).hexdigest()


def _only(numbers: Sequence[str], what: str, event: Reported) -> str | None:
    if len(numbers) > 1:
        told = f"the event names more than one {what}: {', '.join(numbers[:3])}"
        raise wrong("transaction_ambiguous", told, event.at("bizTransactionList"))
    return numbers[0] if numbers else None


def _numbers(event: Reported, kinds: Sequence[str]) -> list[str]:
    found = (
        _number(one["id"], event.at(f"bizTransactionList[{index}].bizTransaction"))
        for index, one in enumerate(event.fields["transactions"])
        if one["type"] in kinds
    )
    return list(dict.fromkeys(found))


def _number(uri: str, place: str) -> str:
    """The document's own number out of its URI (CBV 2.0, section 8.5: business transaction identifiers)."""
    if found := _OF_A_COMPANY.fullmatch(uri) or _GDTI.fullmatch(uri):
        number = unquote(found[1])
    elif uri.lower().startswith(("http://", "https://")):
        number = _last_of_path(uri, place)
    elif uri.startswith("urn:") and ":bt:" in uri:
        number = unquote(uri.rpartition(":bt:")[2])
    else:
        number = uri
    number = number.strip()
    if not 1 <= len(number) <= _CODE_LENGTH or not number.isprintable():
        told = f"{place} holds no printable number of 1 to {_CODE_LENGTH} characters"
        raise wrong("transaction_invalid", told, place)
    return number


def _last_of_path(uri: str, place: str) -> str:
    try:
        path = urlsplit(uri).path
    except ValueError:
        raise wrong("transaction_invalid", f"{place} is {uri[:120]!r}, which is no web address", place) from None
    return unquote(path.rstrip("/").rpartition("/")[2])


def party(event: Reported, side: str, context: InboundContext) -> str | None:
    """Who or where a shipment comes from (``sources``) or goes to (``destinations``), by the most telling type."""
    path, name = ("sourceList", "source") if side == "sources" else ("destinationList", "destination")
    members = {one["type"]: (index, one["id"]) for index, one in reversed(list(enumerate(event.fields[side])))}
    for kind in ("location", "possessing_party", "owning_party"):
        if kind in members:
            index, uri = members[kind]
            return party_code(uri, event.at(f"{path}[{index}].{name}"), context)
    return None


def end_of_move(event: Reported, side: str, points: Sequence[str]) -> tuple[str, str] | None:
    """The URI and the path of where a move begins or ends: the location of the list, else the first of the points."""
    path, name = ("sourceList", "source") if side == "sources" else ("destinationList", "destination")
    for index, one in enumerate(event.fields[side]):
        if one["type"] == "location":
            return one["id"], event.at(f"{path}[{index}].{name}")
    for point in points:
        if point in event.fields:
            where = "readPoint" if point == "read_point" else "bizLocation"
            return event.fields[point]["id"], event.at(f"{where}.id")
    return None


def as_place(listed: Mapping[str, Any]) -> dict[str, Any]:
    return present(**{name: listed.get(name) for name in _PLACE_FIELDS})
