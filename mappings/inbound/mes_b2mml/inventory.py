"""Segments of the operations type Inventory: stock that was moved or counted.

ISA-95 (IEC 62264-4) has a movement as what is consumed in one place and produced in another, so these are paired by
item, lot and quantity. ``Inventoried`` material of V0700 was counted where it lies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.context import Event, InboundContext
from mappings.inbound.mes_b2mml.parts import CONSUMED, MAIN_PRODUCED, material_line, place_of, unsupported_use
from mappings.inbound.payload import present, storage_code, wrong


def inventory_events(
    materials: Sequence[Mapping[str, Any]], moment: Mapping[str, str], context: InboundContext
) -> list[Event]:
    """``moment`` is ``event_time`` and ``site``. Raises MappingError where one end of a movement is missing."""
    events: list[Event] = []
    taken: list[dict[str, Any]] = []
    brought: list[dict[str, Any]] = []
    for material in materials:
        use = material.get("use")
        if use in context.options.get("ignored_uses", ()):
            continue
        line = material_line(material, context) | {"place": material["place"], "at": _at(material, context)}
        if use == "Inventoried":
            events.append(_counted(line, moment))
        elif use in CONSUMED:
            taken.append(line)
        elif use in MAIN_PRODUCED:
            brought.append(line)
        else:
            raise unsupported_use(material, "whether it was taken, brought or counted")
    return events + _movements(taken, brought, moment)


def _at(material: Mapping[str, Any], context: InboundContext) -> dict[str, str]:
    found = place_of(material["location"])
    found |= present(storage=storage_code(found.get("storage"), context, material["place"]))
    at: dict[str, str] = {name: found[name] for name in ("site", "storage", "bin") if name in found}
    if not at:
        raise wrong("place_missing", f"{material['place']} says no StorageLocation", material["place"])
    return at


def _movements(taken: list[dict[str, Any]], brought: list[dict[str, Any]], moment: Mapping[str, str]) -> list[Event]:
    events = []
    waiting = list(brought)
    for line in taken:
        other = next((one for one in waiting if _what(one) == _what(line)), None)
        if other is None:
            raise wrong("movement_incomplete", f"{line['place']} is taken and nowhere brought", line["place"])
        waiting.remove(other)
        if line["quantity"]["value"] != "0":
            events.append(_moved(line, other, moment))
    if waiting:
        place = waiting[0]["place"]
        raise wrong("movement_incomplete", f"{place} is brought and was nowhere taken", place)
    return events


def _what(line: Mapping[str, Any]) -> dict[str, Any]:
    return {name: line[name] for name in ("item", "lot", "sub_lot", "serials", "quantity") if name in line}


def _moved(line: Mapping[str, Any], other: Mapping[str, Any], moment: Mapping[str, str]) -> Event:
    ends = {"from": line["at"], "to": other["at"]}
    head = {"event_time": moment["event_time"], "location": {"site": moment["site"]}}
    return Event("inventory.moved.v1", head | _what(line) | ends)


def _counted(line: Mapping[str, Any], moment: Mapping[str, str]) -> Event:
    what = _what(line)
    counted = what.pop("quantity")
    head = {"event_time": moment["event_time"], "location": {"site": moment["site"]} | line["at"]}
    return Event("inventory.counted.v1", head | what | {"counted": counted})
