"""A target's production order as the canonical event of its release, or why it cannot be one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.adapters.base import Document
from app.projections.production_orders import RELEASED
from app.store.readings import KEY_LENGTH
from config.topology import Source, Target, Topology
from mappings.canonical import contract
from mappings.canonical.fields import instant_text

_FIELDS = ("order_id", "item", "quantity", "start", "end", "segments", "materials", "document_ref", "note")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


@dataclass(frozen=True)
class ReadOrder:
    """``key`` names it for ever; ``digest`` is of its content, whenever it was changed. With a ``fault`` there are no
    ``data``."""

    key: str
    plant: str
    data: Mapping[str, Any]
    digest: str = ""
    fault: str | None = None


@dataclass(frozen=True)
class Places:
    """Which plant each of the target's codes means; ``others`` are those of plants that the source has nothing to do
    with."""

    plants: Mapping[str, str]
    others: frozenset[str]


def places_of(topology: Topology, source: Source, target: Target) -> Places:
    locations = target.mapping_options.get("locations")
    codes = locations if isinstance(locations, Mapping) else {}
    every = {plant: str(codes.get(plant, plant)) for plant in topology.plants}
    own = {every[plant]: plant for plant in source.plants}
    return Places(own, frozenset(every.values()) - own.keys())


def check_order(row: Document, topology: Topology, source: Source, places: Places, now: datetime) -> ReadOrder | None:
    """None for an order of another source's plant. Orders of a place that no plant has are one fault together."""
    code, order_id = _text(row.get("plant")), _text(row.get("order_id"))
    if not isinstance(code, str):
        code = None
    if code in places.others:
        return None
    plant = places.plants.get(code or "")
    if plant is None:
        fault = (
            f"orders of place {code!r} are not taken, since source {source.code} has no plant of this code; "
            "mend the place there, or add the plant to the topology, with `locations` where the codes differ"
        )
        return ReadOrder(_key(code, ""), "", {}, fault=fault)
    key = _key(plant, order_id)
    if row.get("fault"):
        return ReadOrder(key, plant, {}, fault=str(row["fault"]))
    try:
        data = contract.validate(RELEASED, _data(row, source, ZoneInfo(topology.plants[plant].timezone), now))
    except contract.ContractError as error:
        return ReadOrder(key, plant, {}, fault=f"{error.reason}; mend the order there")
    return ReadOrder(key, plant, data, _digest(data))


def changed_at(row: Document) -> datetime | None:
    """When the target changed the row, by its own clock; None where it does not say so."""
    value = row.get("changed_at")
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _key(plant: Any, order_id: Any) -> str:
    """Fit for every database, whatever the target gave."""
    text = f"{plant}/{order_id}"
    return "".join(character if character.isprintable() else "?" for character in text)[:KEY_LENGTH]


def _text(value: Any) -> Any:
    """Order numbers are often JSON numbers."""
    return str(value) if type(value) is int else value


def _data(row: Document, source: Source, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    given = {name: row[name] for name in _FIELDS if row.get(name) not in (None, "", [])}
    data = given | {name: _text(given[name]) for name in ("order_id", "item") if name in given}
    if "quantity" in data:
        data["quantity"] = _translated(data["quantity"], source)
    if isinstance(data.get("materials"), list):
        data["materials"] = [
            {**line, "quantity": _translated(line.get("quantity"), source)} if isinstance(line, Mapping) else line
            for line in data["materials"]
        ]
    for name, days in (("start", 0), ("end", 1)):
        if name in data:
            data[name] = _instant(data[name], zone, days)
    return {"event_time": instant_text(changed_at(row) or now), **data}


def _translated(amount: Any, source: Source) -> Any:
    """With the unit's code that Lineside has for the source's."""
    uom = amount.get("uom") if isinstance(amount, Mapping) else None
    return {**amount, "uom": source.units.get(uom, uom)} if isinstance(uom, str) else amount


def _instant(value: Any, zone: ZoneInfo, days: int) -> Any:
    """A day begins by the plant's clock, and as an end it ends with it; anything else is the contract's business."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return value
    try:
        local = datetime.combine(date.fromisoformat(value) + timedelta(days), time(), zone)
        return instant_text(local)
    except (ValueError, OverflowError):
        return value


def _digest(data: Mapping[str, Any]) -> str:
    content = {name: value for name, value in data.items() if name != "event_time"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
