"""What a source's identifiers stand for: items by the option ``items``, places by the option ``places``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappings.context import CORRECT_IT, InboundContext, MappingError
from mappings.formats.gs1_identifiers import (
    Gln,
    Identifier,
    IdentifierFault,
    LogisticUnit,
    TradeItem,
    identifier_of,
    is_asset,
)
from mappings.inbound.payload import wrong

_SHORT_GTINS = (14, 13, 12, 8)


@dataclass(frozen=True)
class Named:
    """An item by its canonical code; ``serial`` where the identifier names one instance of it."""

    item: str
    lot: str | None = None
    serial: str | None = None


def named(uri: str, place: str, context: InboundContext) -> Named | LogisticUnit | None:
    """What an EPC or an EPC class stands for; None for an asset that the option ``items`` does not list.

    Raises MappingError where it is neither an item nor a package nor an asset.
    """
    items = context.options.get("items", {})
    if uri in items:
        return Named(items[uri])
    identifier = identified(uri, place, context)
    if isinstance(identifier, LogisticUnit):
        return identifier
    if isinstance(identifier, TradeItem):
        return Named(_item_code(identifier.gtin, items), identifier.lot, identifier.serial)
    for key, item in items.items():
        if key.endswith("*") and uri.startswith(key[:-1]) and len(uri) >= len(key):
            rest = uri[len(key) - 1 :]
            return Named(item.replace("*", rest)) if "*" in item else Named(item, serial=rest)
    if is_asset(uri):
        return None
    raise MappingError(
        "identifier_unsupported",
        f"{place} is {uri[:120]!r}, which names no item by a GTIN and no package by an SSCC. "
        "List it in the source's option items in the topology file, then requeue, or discard the message.",
        place,
    )


def _item_code(gtin: str, items: Mapping[str, str]) -> str:
    for length in _SHORT_GTINS:
        short = gtin[14 - length :]
        if short in items and short.zfill(14) == gtin:
            return items[short]
    return gtin


def identified(uri: str, place: str, context: InboundContext) -> Identifier | None:
    try:
        identifier = identifier_of(uri)
    except IdentifierFault as fault:
        raise wrong("identifier_invalid", f"{place} is {uri[:120]!r}, which {fault}", place) from None
    if identifier is not None and identifier.odd:
        context.deviations.allow("identifier_form", f"{uri[:120]!r} {identifier.odd}", place)
    return identifier


def place_of(uri: str, place: str, context: InboundContext) -> Mapping[str, Any] | None:
    """The place of the plant that a location identifier stands for; None where the topology does not list it."""
    places = context.options.get("places", {})
    if uri in places:
        return dict(places[uri])
    identifier = identified(uri, place, context)
    if not isinstance(identifier, Gln):
        return None
    if identifier.code in places:
        return dict(places[identifier.code])
    return next((dict(known) for key, known in places.items() if _same_place(key, identifier)), None)


def _same_place(key: str, identifier: Gln) -> bool:
    """The topology may name a place by its URN where the sender writes a Digital Link, or the other way round."""
    try:
        known = identifier_of(key)
    except IdentifierFault:
        return False
    return isinstance(known, Gln) and known.code == identifier.code


def party_code(uri: str, place: str, context: InboundContext) -> str:
    """A partner's or a place's code as documents have it: its GLN, else the URI."""
    identifier = identified(uri, place, context)
    code = identifier.code if isinstance(identifier, Gln) else uri
    if len(code) > 80:
        raise wrong("identifier_invalid", f"{place} has more than 80 characters", place)
    return code


def place_unknown(uri: str, place: str) -> MappingError:
    return MappingError(
        "place_unknown",
        f"{place} is {uri[:120]!r}, and the event means nothing without knowing where that is. List it in the source's "
        f"option places in the topology file, then requeue. {CORRECT_IT}",
        place,
    )
