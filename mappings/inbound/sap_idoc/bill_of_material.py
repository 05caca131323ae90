"""``idoc.BOMMAT``: what a material is made of: of its base quantity (E1STKOM) the components (E1STPOM)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.payload import present, wrong
from mappings.inbound.sap_idoc.segments import (
    Idoc,
    Segment,
    check_plant,
    idocs,
    material,
    moment,
    quantity,
    written_at,
)

_STOCK_ITEMS = ("", "L", "N")


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    return [_bill(idoc, context) for idoc in idocs(payload, ("BOMMAT",), context)]


def _bill(idoc: Idoc, context: InboundContext) -> Event:
    """An IDoc with several alternatives has several E1STKOM; which of them counts, only the planner knows."""
    assigned, head = idoc.only("E1MASTM"), idoc.only("E1STKOM")
    check_plant(assigned, "WERKS", context)
    item = material(assigned)
    components = [_component(line, context) for line in idoc.segments if line.name == "E1STPOM" and _is_counted(line)]
    if not components:
        raise wrong("nothing_reported", f"the bill of material at {assigned.place} has no component", assigned.place)
    data = present(
        event_time=written_at(idoc, context),
        item=item,
        revision=assigned.get("STLAL"),
        effectivity=present(start=moment(head, "DATUV", "", context)),
        quantity=quantity(head, _amount_field(head, "BMENG"), ("BMEIN",), context),
        components=components,
    )
    return Event("bom.changed.v1", data)


def _is_counted(line: Segment) -> bool:
    """Stock and non-stock items; not texts, documents and classes (item category POSTP)."""
    return line.get("POSTP") in _STOCK_ITEMS and bool(line.get("IDNRK") or line.get("IDNRK_LONG"))


def _component(line: Segment, context: InboundContext) -> dict[str, Any]:
    amount = quantity(line, _amount_field(line, "MENGE"), ("MEINS",), context)
    return {"item": material(line, "IDNRK"), "quantity": amount}


def _amount_field(segment: Segment, name: str) -> str:
    """Since release 4.6 amounts stand as text beside the field that was too narrow for them (MENGE_C)."""
    return f"{name}_C" if segment.get(f"{name}_C") else name
