"""How a lot or sublot stands: free for use or not, or how much of it lies where.

A document that tells the status becomes a hold or a release, one that tells a StorageLocation and a Quantity a count.
One that tells both may be either: a hold notice that names the stock for information, or a stock list that names the
status. The source's option ``lots`` says which (``status``, ``stock`` or ``both``); without it such a lot is refused.
Status is free text in B2MML; the source's option ``lot_statuses`` translates its words, beside the plain ones here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields

from mappings.canonical.fields import Code
from mappings.canonical.parts import parts
from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.mes_b2mml.parts import Place, QuantityValue, levels, texts, the_quantity, told_at, where
from mappings.inbound.payload import Payload, present, storage_code, wrong

# Compared without case, blanks and signs. Words that mean one thing in one plant and another elsewhere are left out.
_WORDS = {
    "unrestricted": ("unrestricted", "released", "approved", "available", "conformant", "accepted"),
    "quality": ("quality", "qualityinspection", "inspection", "underinspection", "quarantine", "quarantined"),
    "blocked": ("blocked", "hold", "onhold", "held", "rejected", "restricted", "nonconformant"),
}
_STATUSES = {word: status for status, words in _WORDS.items() for word in words}
_REASONS = ("HoldReason", "StatusReason", "Reason")


class LotState(Payload):
    place = Place(required=True)
    id = Code()
    published = Code()
    status = Code()
    disposition = Code()
    location = levels()
    quantities = parts(QuantityValue, load_default=list)
    properties = texts()


class SubLot(LotState):
    lot = Code()
    inner = fields.Integer(strict=True, load_default=0)


class Lot(LotState):
    item = Code()
    sub_lots = parts(SubLot, load_default=list)


def lot_events(lot: Mapping[str, Any], created: str | None, context: InboundContext) -> list[Event]:
    """The lot's own, then its sublots'. Raises MappingError where neither says anything, or both say how much."""
    if lot["quantities"] and any(sub_lot["quantities"] for sub_lot in lot["sub_lots"]):
        reason = f"{lot['place']} has a Quantity and so have its sublots; only one of them can be counted"
        raise wrong("quantity_ambiguous", reason, lot["place"])
    named = present(item=lot.get("item"), lot=_id(lot))
    events = _state_events(lot, named, created, context)
    for sub_lot in lot["sub_lots"]:
        events += sub_lot_events(sub_lot, named, created, context)
    if not events:
        raise _says_nothing(lot)
    return events


def sub_lot_events(
    sub_lot: Mapping[str, Any], of: Mapping[str, str] | None, created: str | None, context: InboundContext
) -> list[Event]:
    """``of``: the item and lot that it stands in; None where it stands alone and names its lot itself."""
    place = sub_lot["place"]
    if sub_lot["inner"]:
        raise wrong("sub_lot_nested", f"{place} holds sublots of its own; send them as sublots of the lot", place)
    if of is None and not sub_lot.get("lot"):
        raise wrong("payload_invalid", f"{place} stands alone and has no MaterialLotID", place)
    named = {**(of or {"lot": sub_lot["lot"]}), "sub_lot": _id(sub_lot)}
    if of is not None and sub_lot.get("lot", named["lot"]) != named["lot"]:
        raise wrong("lot_ambiguous", f"{place} stands in lot {named['lot']} and names another", place)
    events = _state_events(sub_lot, named, created, context)
    if not events and of is None:
        raise _says_nothing(sub_lot)
    return events


def _id(one: Mapping[str, Any]) -> str:
    if not one.get("id"):
        raise wrong("payload_invalid", f"{one['place']} has no ID", one["place"])
    return str(one["id"])


def _says_nothing(one: Mapping[str, Any]) -> MappingError:
    reason = f"{one['place']} has no Status, and no StorageLocation with a Quantity, so it tells nothing that is posted"
    return wrong("nothing_reported", reason, one["place"])


def _state_events(
    one: Mapping[str, Any], named: Mapping[str, str], created: str | None, context: InboundContext
) -> list[Event]:
    says_status = "status" in one or "disposition" in one
    at = where(one["location"], context)
    at |= present(storage=storage_code(at.get("storage"), context, one["place"]))
    says_stock = bool(one["quantities"]) and ("storage" in at or "bin" in at)
    chosen = context.options.get("lots")
    if says_status and says_stock and chosen is None:
        reason = f"{one['place']} tells a status and a stock; the source's option `lots` says which of them counts"
        mend = "Set it to status, stock or both in the topology file, then requeue"
        raise MappingError("lot_ambiguous", f"{reason}. {mend}.", one["place"])
    head = {"event_time": told_at((one.get("published"), created), context, one["place"]), "location": at, **named}
    events = []
    if says_status and not (says_stock and chosen == "stock"):
        events.append(_status_event(one, head, context))
    if says_stock and not (says_status and chosen == "status"):
        events.append(_counted(one, head, context))
    return events


def _counted(one: Mapping[str, Any], head: Mapping[str, Any], context: InboundContext) -> Event:
    if "item" not in head:
        raise wrong("payload_invalid", f"{one['place']} has no MaterialDefinitionID to be counted as", one["place"])
    counted = the_quantity(one["quantities"], context, one["place"])
    return Event("inventory.counted.v1", {**head, "counted": counted})


def _status_event(one: Mapping[str, Any], head: Mapping[str, Any], context: InboundContext) -> Event:
    """The Status where there is one, which is the sender's own word; else the Disposition, which is the standard's."""
    word = one.get("status") or one["disposition"]
    own: Mapping[str, str] = context.options.get("lot_statuses", {})
    status = own.get(word) or _STATUSES.get("".join(letter for letter in word.casefold() if letter.isalnum()))
    if status is None:
        reason = f"{one['place']} has the status {word!r}, which is neither plainly free nor plainly held"
        mend = "Translate it in the source's option lot_statuses in the topology file, then requeue"
        raise MappingError("lot_status_unknown", f"{reason}. {mend}.", one["place"])
    if status == "unrestricted":
        return Event("quality.released.v1", {**head, "status": status})
    reason = next((one["properties"][name] for name in _REASONS if one["properties"].get(name)), word)
    return Event("quality.held.v1", {**head, "status": status, "reason": reason[:200]})
