"""``idoc.MBGMCR``: one material document, an item of which is a receipt, an issue, a transfer, scrap or a difference.

What each movement type (BWART) means here stands in ``_MEANINGS``, as SAP delivers them (SAP Help Portal, Inventory
Management, "Movement Types"). Issues to one order are one event, and so are receipts from one. A reversal is a
movement of its own (102, 122, 262, 312, 552, 702). No canonical event takes an issue, a completion or a receipt back in
part, and an IDoc names a material document where a correction names a message: so 102, 122 and 262 change the stock
only, on the order that they name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from mappings.context import Event, InboundContext, MappingError
from mappings.inbound.payload import present, reason_code, storage_code, transformation_id, wrong
from mappings.inbound.sap_idoc.segments import (
    Idoc,
    Segment,
    check_plant,
    idocs,
    material,
    moment,
    quantity,
    site,
    unpadded,
    written_at,
)
from mappings.options import MOVEMENT_TYPES, REASONS

_UNITS = ("ENTRY_UOM_ISO", "ENTRY_UOM")
_STOCK = {"X": "quality", "2": "quality", "S": "blocked", "3": "blocked"}

_Head = Mapping[str, Any]


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    events: list[Event] = []
    for idoc in idocs(payload, ("MBGMCR",), context):
        items = [segment for segment in idoc.segments if segment.name == "E1BP2017_GM_ITEM_CREATE"]
        if not items:
            raise wrong("segment_missing", "the IDoc has no E1BP2017_GM_ITEM_CREATE", idoc.control.place)
        head = {"event_time": _posted_at(idoc, context), "location": {"site": context.plant.code}}
        events += _gathered([_event(item, head, context) for item in items])
    # Nothing of an order comes after the report that ends it.
    return sorted(events, key=lambda event: bool(event.data.get("final")))


def _posted_at(idoc: Idoc, context: InboundContext) -> str:
    """A posting has a day and no time; on the day that the IDoc was written, it is the time of that."""
    header = idoc.only("E1BP2017_GM_HEAD_01")
    day = moment(header, "PSTNG_DATE", "", context)
    if day is None or header.get("PSTNG_DATE") == idoc.control.get("CREDAT"):
        return written_at(idoc, context)
    return day


def _event(item: Segment, head: _Head, context: InboundContext) -> Event:
    check_plant(item, "PLANT", context)
    place = item.at("MOVE_TYPE")
    movement = context.crosswalks.becomes(MOVEMENT_TYPES, item.needed("MOVE_TYPE"), place)
    to_event = _MEANINGS.get(movement)
    if to_event is None:
        what = f"{item.at('MOVE_TYPE')} is {movement[:20]!r}"
        mend = f"understood are {', '.join(_MEANINGS)}. Book it by hand where it matters, then discard this message."
        raise MappingError("movement_unknown", f"{what}: it has no meaning here; {mend}", item.at("MOVE_TYPE"))
    if item.get("SPEC_STOCK"):
        told = f"{item.at('SPEC_STOCK')} is {item.get('SPEC_STOCK')[:5]!r}: stock of a customer, vendor or project"
        raise MappingError(
            "stock_unsupported", f"{told} is not kept here; discard this message.", item.at("SPEC_STOCK")
        )
    return to_event(item, head, context)


def _receipt(item: Segment, head: _Head, context: InboundContext) -> Event:
    """101 comes from a purchase order or from a production order, whichever is named."""
    if bool(item.get("PO_NUMBER")) == bool(item.get("ORDERID")):
        reason = f"{item.place} is a receipt; it must name either PO_NUMBER or ORDERID"
        raise wrong("order_ambiguous", reason, item.at("PO_NUMBER"))
    if item.get("ORDERID"):
        return _completion(item, head, context)
    received = _amount(item, context)
    nothing = {**received, "value": "0"}
    status = _STOCK.get(item.get("STCK_TYPE"), "")
    amounts = {"received": received, "accepted": nothing if status else received}
    amounts["rejected"] = received if status == "blocked" else nothing
    line = unpadded(item.get("PO_ITEM")) if item.get("PO_ITEM") else None
    order = present(type="purchase_order", id=unpadded(item.get("PO_NUMBER")), line=line)
    return Event("receipt.recorded.v1", _placed(item, head, context) | _goods(item) | amounts | {"document_ref": order})


def _completion(item: Segment, head: _Head, context: InboundContext) -> Event:
    order = unpadded(item.needed("ORDERID"))
    output = _goods(item) | present(quantity=_amount(item, context), storage=_storage(item, "STGE_LOC", context))
    made = {"order_id": order, "transformation_id": transformation_id(context, order)}
    return Event(
        "production.completed.v1", {**head, **made, "outputs": [output], "final": item.get("NO_MORE_GR") == "X"}
    )


def _issue(item: Segment, head: _Head, context: InboundContext) -> Event:
    order = unpadded(item.needed("ORDERID"))
    component = _goods(item) | present(quantity=_amount(item, context), storage=_storage(item, "STGE_LOC", context))
    used = {"order_id": order, "transformation_id": transformation_id(context, order)}
    return Event("material.issued.v1", {**head, **used, "components": [component]})


def _transfer(item: Segment, head: _Head, context: InboundContext, *, back: bool = False) -> Event:
    item.needed("STGE_LOC"), item.needed("MOVE_STLOC")
    origin = present(storage=_storage(item, "STGE_LOC", context))
    destination = present(storage=_storage(item, "MOVE_STLOC", context))
    there = site(item.get("MOVE_PLANT"), context) if item.get("MOVE_PLANT") else context.plant.code
    if there != context.plant.code:
        origin["site"], destination["site"] = context.plant.code, there
    return _moved(item, head, context, (destination, origin) if back else (origin, destination))


def _restated(
    item: Segment, head: _Head, context: InboundContext, *, before: str, after: str, back: bool = False
) -> Event:
    """Stock gets another status, and sometimes another place with it. The even types reverse the odd ones: which of two
    places is then the origin depends on how it was entered."""
    storage = item.get("STGE_LOC")
    if back and item.get("MOVE_STLOC") not in ("", storage):
        told = (
            f"{item.at('MOVE_STLOC')} differs from STGE_LOC, and for {item.get('MOVE_TYPE')} either may be the origin"
        )
        mend = "book it by hand, then discard this message."
        raise MappingError("movement_ambiguous", f"{told}; {mend}", item.at("MOVE_STLOC"))
    origin = present(storage=_storage(item, "STGE_LOC", context), stock_status=before)
    there = "MOVE_STLOC" if item.get("MOVE_STLOC") else "STGE_LOC"
    destination = present(storage=_storage(item, there, context), stock_status=after)
    return _moved(item, head, context, (origin, destination))


def _moved(item: Segment, head: _Head, context: InboundContext, ends: tuple[dict[str, str], dict[str, str]]) -> Event:
    moved = {"quantity": _amount(item, context), "from": ends[0], "to": ends[1]}
    return Event("inventory.moved.v1", {**head, **_goods(item), **moved})


def _scrap(item: Segment, head: _Head, context: InboundContext) -> Event:
    if not item.get("ORDERID"):
        return _difference(item, head, context, sign="-")
    lost = {
        "order_id": unpadded(item.get("ORDERID")),
        "quantity": _amount(item, context),
        "reason": _reason(item, context),
    }
    return Event("production.scrapped.v1", _placed(item, head, context) | _goods(item) | lost)


def _unscrapped(item: Segment, head: _Head, context: InboundContext) -> Event:
    """552 of an order would have to take its scrap back; without one it only fills the stock again."""
    if item.get("ORDERID"):
        told = f"{item.at('ORDERID')}: 552 takes scrap of an order back, which no event says"
        raise MappingError(
            "movement_unknown", f"{told}; book it by hand, then discard this message.", item.at("ORDERID")
        )
    return _difference(item, head, context)


def _taken_back(item: Segment, head: _Head, context: InboundContext, *, sign: str) -> Event:
    """The goods of an order come back or go again; the material document that is reversed is named where it is told."""
    found = _difference(item, head, context, sign=sign)
    number, line = item.get("PO_NUMBER"), item.get("PO_ITEM")
    if bool(number) == bool(item.get("ORDERID")):
        reason = f"{item.place} is a reversal; it must name either PO_NUMBER or ORDERID"
        raise wrong("order_ambiguous", reason, item.at("PO_NUMBER"))
    order = present(type="purchase_order", id=unpadded(number), line=unpadded(line) if line else None)
    if not number:
        order = {"type": "production_order", "id": unpadded(item.get("ORDERID"))}
    return Event(found.type, {**found.data, **present(document_ref=order, note=_reversed_document(item))})


def _reversed_document(item: Segment) -> str | None:
    number = item.get("REF_DOC")
    if not number:
        return None
    told = [number, item.get("REF_DOC_YR"), item.get("REF_DOC_IT")]
    return f"Takes back material document {' / '.join(filter(None, told))}."


def _difference(item: Segment, head: _Head, context: InboundContext, *, sign: str = "") -> Event:
    moved = _amount(item, context)
    changed = {"delta": {**moved, "value": sign + moved["value"]}, "reason": _reason(item, context)}
    return Event("inventory.adjusted.v1", _placed(item, head, context) | _goods(item) | changed)


_MEANINGS: Mapping[str, Callable[[Segment, _Head, InboundContext], Event]] = {
    "101": _receipt,
    "102": partial(_taken_back, sign="-"),
    "122": partial(_taken_back, sign="-"),
    "261": _issue,
    "262": partial(_taken_back, sign=""),
    "301": _transfer,
    "302": partial(_transfer, back=True),
    "311": _transfer,
    "312": partial(_transfer, back=True),
    "321": partial(_restated, before="quality", after="unrestricted"),
    "322": partial(_restated, before="unrestricted", after="quality", back=True),
    "343": partial(_restated, before="blocked", after="unrestricted"),
    "344": partial(_restated, before="unrestricted", after="blocked", back=True),
    "349": partial(_restated, before="blocked", after="quality"),
    "350": partial(_restated, before="quality", after="blocked", back=True),
    "551": _scrap,
    "552": _unscrapped,
    "701": _difference,
    "702": partial(_difference, sign="-"),
}


def _gathered(events: list[Event]) -> list[Event]:
    """Issues to an order that follow each other are one, and so are its completions."""
    found: list[Event] = []
    for event in events:
        lines = {"material.issued.v1": "components", "production.completed.v1": "outputs"}.get(event.type)
        before = found[-1] if found else None
        if lines is None or before is None or before.type != event.type or not _same_order(before, event):
            found.append(event)
            continue
        data = {**before.data, lines: [*before.data[lines], *event.data[lines]]}
        if "final" in data:
            data["final"] = before.data["final"] or event.data["final"]
        found[-1] = Event(event.type, data)
    return found


def _same_order(one: Event, other: Event) -> bool:
    return bool(one.data["order_id"] == other.data["order_id"])


def _amount(item: Segment, context: InboundContext) -> dict[str, str]:
    return quantity(item, "ENTRY_QNT", _UNITS, context)


def _goods(item: Segment) -> dict[str, Any]:
    return present(item=material(item, "MATERIAL"), lot=item.get("BATCH"))


def _placed(item: Segment, head: _Head, context: InboundContext) -> dict[str, Any]:
    return {**head, "location": {**head["location"], **present(storage=_storage(item, "STGE_LOC", context))}}


def _storage(item: Segment, field: str, context: InboundContext) -> str | None:
    return storage_code(item.get(field), context, item.at(field))


def _reason(item: Segment, context: InboundContext) -> str:
    """By the crosswalk of reasons where the source uses that; else SAP's numbers."""
    movement, reason = item.get("MOVE_TYPE"), unpadded(item.get("MOVE_REAS")) if item.get("MOVE_REAS") else ""
    if reason and REASONS in context.crosswalks.used:
        return reason_code(reason, context, item.at("MOVE_REAS"))
    return f"movement {movement}" + (f" reason {reason}" if reason else "")
