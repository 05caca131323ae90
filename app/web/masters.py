"""Items, bills of materials and equipment as pages and API tell them."""

from __future__ import annotations

from typing import Any

from app.projections.equipment_lists import TimeInStates
from app.projections.version_lists import BomPicture
from app.store.reference_tables import Item
from app.store.version_tables import EquipmentState, ToldVersion
from mappings.units import plain


def told_item(item: Item, message_id: int | None) -> dict[str, Any]:
    return {
        "item": item.code,
        "description": item.description,
        "base_uom": item.base_uom,
        "units": dict(item.units),
        "system": item.system,
        "updated_at": item.updated_at,
        "message_id": message_id,
    }


def told_item_version(version: ToldVersion) -> dict[str, Any]:
    body = version.body
    return {
        "id": version.id,
        "message_id": version.message_id,
        "event_index": version.event_index,
        "item": version.code,
        "revision": version.revision or None,
        "description": body.get("description"),
        "base_uom": body.get("base_uom"),
        "units": dict(body.get("units", {})),
        **_validity(version),
    }


def told_bom(picture: BomPicture) -> dict[str, Any]:
    version = picture.version
    return {
        "item": version.code,
        "revision": version.revision or None,
        "message_id": version.message_id,
        "event_index": version.event_index,
        "quantity": dict(version.body["quantity"]),
        "components": [
            {"item": one.item, "quantity": {"value": plain(one.quantity), "uom": one.uom}, "segment": one.segment}
            for one in picture.components
        ],
        **_validity(version),
    }


def _validity(version: ToldVersion) -> dict[str, Any]:
    return {
        "effective_from_at": version.effective_from_at,
        "effective_until_at": version.effective_until_at,
        "stands": version.stands,
        "happened_at": version.happened_at,
        "entered_at": version.entered_at,
        "void_at": version.void_at,
    }


def told_equipment(row: EquipmentState) -> dict[str, Any]:
    """The state that it is in, and since when."""
    return {
        "plant": row.plant,
        "equipment_id": row.equipment_id,
        "state": row.state,
        "reason": row.reason,
        "work_center": row.work_center,
        "since_at": row.since_at,
        "told_at": row.happened_at,
        "message_id": row.message_id,
    }


def told_state(row: EquipmentState) -> dict[str, Any]:
    """``seconds``: until the next one was told; None of one that lasts, or is void."""
    return {
        "id": row.id,
        "message_id": row.message_id,
        "event_index": row.event_index,
        "state": row.state,
        "from_state": row.from_state,
        "follows": row.follows,
        "reason": row.reason,
        "work_center": row.work_center,
        "happened_at": row.happened_at,
        "ended_at": row.ended_at,
        "seconds": None if row.ended_at is None else (row.ended_at - row.happened_at).total_seconds(),
        "entered_at": row.entered_at,
        "void_at": row.void_at,
    }


def told_times(found: TimeInStates) -> dict[str, Any]:
    return {
        "since_at": found.since_at,
        "until_at": found.until_at,
        "seconds": dict(found.seconds),
        "is_whole": found.is_whole,
    }
