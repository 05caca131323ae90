"""What a posted message changes in Lineside's own picture, in the transaction that makes it posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from app.inbox.claim import Claimed
from app.projections.items import item_reference, load_items, save_items
from app.projections.production_orders import apply_events
from mappings.canonical import contract
from mappings.context import Event

ITEM_CHANGED = "item.changed.v1"


def take_effect(
    session: Session, plant: str, messages: Sequence[tuple[Claimed, Sequence[Event]]], now: datetime
) -> list[str]:
    """Bring items and production orders up to these messages; returns the references that are fulfilled by it."""
    pairs = [(message.id, event) for message, events in messages for event in events]
    fulfilled: list[str] = []
    for message, events in messages:
        changed = [_item(event) for event in events if event.type == ITEM_CHANGED]
        if changed:
            save_items(session, changed, message.source, now)
            fulfilled += [item_reference(item["code"]) for item in changed]
    codes = {code for _, event in pairs for code in contract.referenced_items(event)}
    return fulfilled + apply_events(session, plant, pairs, load_items(session, codes), now)


def _item(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "code": data["item"],
        "description": data["description"],
        "base_uom": data["base_uom"],
        "units": data.get("units", {}),
    }
