"""``idoc.LOIPRO``: a production order, which the plant may begin once SAP has released it.

SAP sends an order as often as it changes. The system status of its header (E1JSTKL) says what it is: I0002 released,
I0042 released in part, I0045 technically completed, I0046 closed, I0013 and I0076 marked for deletion (table TJ02).
What is created and not released yet (I0001), and what has come to its end, tells the plant nothing. That an order is to
be deleted a person has to look at: the plant may be making it. So is an order without any of these: of an IDoc that was
cut off the status is the first to be missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mappings.context import Event, InboundContext, MappingError, NothingToDo
from mappings.inbound.payload import present
from mappings.inbound.sap_idoc.segments import (
    Idoc,
    Segment,
    check_plant,
    idocs,
    material,
    moment,
    quantity,
    unpadded,
    written_at,
)

_CREATED = "I0001"
_RELEASED = frozenset({"I0002", "I0042"})
_ENDED = {"I0045": "technically completed", "I0046": "closed"}
_DELETED = ("I0013", "I0076")
_TOLD_MOST = 3
# Per role: the scheduled date and time, then the basic ones, which the planner set.
_STARTS = (("GSTRS", "GSUZS"), ("GSTRP", "GSUZP"))
_ENDS = (("GLTRS", "GLUZS"), ("GLTRP", "GLUZP"))


def to_canonical(payload: Any, context: InboundContext) -> Sequence[Event]:
    told = [_told(idoc, context) for idoc in idocs(payload, ("LOIPRO",), context)]
    events = [one for one in told if isinstance(one, Event)]
    return events or NothingToDo(" ".join(str(one) for one in told[:_TOLD_MOST]))


def _told(idoc: Idoc, context: InboundContext) -> Event | str:
    """The release, or why there is none to tell."""
    head, position = idoc.only("E1AFKOL"), idoc.first("E1AFPOL")
    check_plant(head, "WERKS", context)
    order = unpadded(head.needed("AUFNR"))
    if (nothing := _why_nothing(idoc, head, position, order)) is not None:
        return nothing
    data = present(
        event_time=written_at(idoc, context),
        location={"site": context.plant.code},
        order_id=order,
        item=material(position if position and not head.get("MATNR") else head),
        quantity=_planned(head, position, context),
        start=_first_moment(head, _STARTS, context),
        end=_first_moment(head, _ENDS, context),
        segments=_operations(idoc),
        materials=_materials(idoc, context),
    )
    return Event("production.order.released.v1", data)


def _why_nothing(idoc: Idoc, head: Segment, position: Segment | None, order: str) -> str | None:
    states = {segment.get("STAT"): segment for segment in idoc.segments if segment.name == "E1JSTKL"}
    deleted = next((state for state in _DELETED if state in states), None)
    if deleted is not None:
        told = f"order {order} is to be deleted ({deleted}); see that nobody makes it, then discard this message."
        raise MappingError("order_ended", told, states[deleted].at("STAT"))
    ended = next((state for state in _ENDED if state in states), None)
    if ended is not None:
        return f"order {order} is {_ENDED[ended]} ({ended}), so there is nothing to begin."
    is_released = not _RELEASED.isdisjoint(states)
    if not states:
        is_released = bool(position and position.get("DFREI") == "X") or head.get("FTRMI").strip("0") != ""
    if not is_released:
        if _CREATED in states:
            return f"order {order} is created and not released ({_CREATED}); SAP sends it again at its release."
        known = f"its status is {', '.join(sorted(states))}" if states else "nothing says that it is"
        told = f"order {order} is not released ({known}). SAP sends it again at its release; discard this message."
        raise MappingError("order_not_released", told, (next(iter(states.values())) if states else head).place)
    return None


def _planned(head: Segment, position: Segment | None, context: InboundContext) -> dict[str, str]:
    if head.get("GAMNG") or position is None:
        return quantity(head, "GAMNG", ("GMEIN",), context)
    return quantity(position, "PSMNG", ("AMEIN", "MEINS"), context)


def _first_moment(head: Segment, names: Sequence[tuple[str, str]], context: InboundContext) -> str | None:
    found = (moment(head, day, time, context) for day, time in names)
    return next((one for one in found if one is not None), None)


def _operations(idoc: Idoc) -> list[dict[str, str]]:
    found = [segment for segment in idoc.segments if segment.name == "E1AFVOL" and segment.get("VORNR")]
    return [
        present(id=segment.get("VORNR"), description=segment.get("LTXA1"), work_center=segment.get("ARBPL"))
        for segment in found
    ]


def _materials(idoc: Idoc, context: InboundContext) -> list[dict[str, Any]]:
    """Components that are issued. By-products (a debit, or an amount below zero), phantoms, deleted lines and text
    items are not."""
    found = []
    for line in idoc.segments:
        if line.name != "E1RESBL" or not (line.get("MATNR") or line.get("MATNR_LONG")):
            continue
        if (
            line.get("SHKZG") == "S"
            or line.get("DUMPS") == "X"
            or line.get("XLOEK") == "X"
            or line.number("BDMNG") <= 0
        ):
            continue
        needed = quantity(line, "BDMNG", ("MEINS",), context)
        found.append(present(item=material(line), lot=line.get("CHARG"), quantity=needed))
    return found
