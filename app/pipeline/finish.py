"""What a posted message changes in Lineside's own picture, in the transaction that makes it posted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import stock_reference
from app.inbox.claim import Claimed
from app.inbox.states import State
from app.pipeline.late import tellings_of, things_of
from app.projections.effects import note_effects
from app.projections.fulfilment import ITEM_CHANGED, stock_brought
from app.projections.items import item_reference, load_items, save_items
from app.projections.production_orders import RELEASED, apply_releases, undo_releases
from app.projections.told_states import Telling, forget, lock_standing, stand, weigh
from app.store.documents import ENRICHED, load_documents
from app.store.measure_notes import Noted, note
from app.store.messages_tables import TimelineEntry
from config.own_messages import for_whom
from mappings.canonical import contract
from mappings.context import Event, ItemFacts
from mappings.units import knows_unit


def take_effect(
    session: Session, plant: str, messages: Sequence[tuple[Claimed, Sequence[Event]]], now: datetime
) -> list[str]:
    """Bring items and production orders up to these messages; returns the references that are fulfilled by it. What is
    older than what stands changes nothing."""
    telling = _telling(messages)
    note_effects(session, telling, now)
    note(session, Noted.POSTED, {message.id for message, _ in messages}.difference(telling), now)
    stale = _take_place(session, plant, messages)
    messages = [
        (message, [event for number, event in enumerate(events) if number not in stale.get(message.id, ())])
        for message, events in messages
    ]
    pairs = [(message.id, event) for message, events in messages for event in events]
    fulfilled: list[str] = []
    for message, events in messages:
        changed = [_item(event) for event in events if event.type == ITEM_CHANGED]
        if changed:
            save_items(session, changed, message.source, now)
            fulfilled += [item_reference(item["code"]) for item in changed]
    fulfilled += sorted(stock_brought(plant, [event for _, event in pairs]))
    return fulfilled + apply_releases(session, plant, pairs, _facts(session, pairs), now)


def undo_effect(
    session: Session, plant: str, messages: Sequence[tuple[Claimed, Sequence[Event]]], now: datetime
) -> None:
    """Take these messages, which are reversed, out of the production orders again. What they told as a whole stands no
    more, so that what was told before can take effect again. Until it does an item stays as it was described: there is
    nothing else by which its units are known."""
    note_effects(session, _posted_once(session, _telling(messages)), now, undo=True)
    pairs = [(message.id, event) for message, events in messages for event in events]
    forget(session, things_of(tellings_of(plant, messages)), [message.id for message, _ in messages])
    undo_releases(session, plant, pairs, now)


def _telling(messages: Sequence[tuple[Claimed, Sequence[Event]]]) -> list[int]:
    """What corrects one system alone is none: the ledger is right already."""
    return [message.id for message, _ in messages if for_whom(message.source) is None]


def _posted_once(session: Session, message_ids: Sequence[int]) -> Sequence[int]:
    """Those of these that took effect. One that a target refused, and that others held a part of, never did: there is
    nothing to undo of it but in those targets, and nobody was told of it."""
    entry = TimelineEntry
    query = select(entry.message_id).where(entry.message_id.in_(message_ids), entry.to_state == State.POSTED.value)
    return session.scalars(query.distinct().order_by(entry.message_id)).all()


def stock_undone(plant: str, events: Sequence[Event]) -> set[str]:
    """The stock that may be there again once targets have reversed these events."""
    return {stock_reference(plant, item) for event in events for item in contract.referenced_items(event)}


def _take_place(
    session: Session, plant: str, messages: Sequence[tuple[Claimed, Sequence[Event]]]
) -> dict[int, dict[int, Telling]]:
    """Let the newest states among these stand; returns those that are older, by message and event."""
    tellings = tellings_of(plant, messages)
    if not tellings:
        return {}
    stale, new = weigh(tellings, lock_standing(session, things_of(tellings)))
    stand(session, new.values())
    return stale


def _facts(session: Session, pairs: Sequence[tuple[int, Event]]) -> dict[str, ItemFacts]:
    """The items of releases as they are now. Where a unit was taken from one since its message was checked, the item as
    it was then: what a target holds is counted, whatever became of the item meanwhile."""
    pairs = [(message_id, event) for message_id, event in pairs if event.type == RELEASED]
    items = load_items(session, {code for _, event in pairs for code in contract.referenced_items(event)})
    lacking = {
        message_id
        for message_id, event in pairs
        for amount in contract.quantities(event)
        if amount.item in items and not knows_unit(items[amount.item], amount.quantity.uom)
    }
    for body in load_documents(session, sorted(lacking), ENRICHED).values() if lacking else ():
        for code, was in ((code, was) for entry in body for code, was in entry["context"]["items"].items()):
            units = {unit: Decimal(factor) for unit, factor in was.get("units", {}).items()}
            items[code] = ItemFacts(code, was["description"], was["base_uom"], units)
    return items


def _item(event: Event) -> dict[str, Any]:
    data = event.data
    return {
        "code": data["item"],
        "description": data["description"],
        "base_uom": data["base_uom"],
        "units": data.get("units", {}),
        "standard_cost": data.get("standard_cost"),
    }
