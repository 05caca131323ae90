"""Read the feed behind a position, as CloudEvents. A page is bounded in entries looked at and in what they hold."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Text, and_, func, select, type_coerce
from sqlalchemy.orm import Session

from app.store.documents import ENRICHED, load_documents
from app.store.feed_tables import FeedEntry
from app.store.messages_tables import Message, MessageDocument
from mappings.canonical import contract
from mappings.canonical.versions import newest, newest_type
from mappings.context import Event, MappingError

COMPENSATED = "lineside.event.compensated.v1"
LOOKED_AT_MOST = 5_000
"""Entries that one page passes, told or not: a filter that fits nothing reads no whole feed."""
PAGE_MOST = 1_000
CHUNK = 500
CHARACTERS_MOST = 4_000_000
"""Of the documents of one page; one that is longer by itself makes a page of its own."""


@dataclass(frozen=True)
class FeedFilter:
    """Which events are told; empty for all. A reversal is told to whom its event was. ``items``: where the event names
    one of these."""

    types: Collection[str] = ()
    plants: Collection[str] = ()
    items: Collection[str] = ()


@dataclass(frozen=True)
class Told:
    """One event as it is told. ``cloud_event`` is a whole CloudEvent; ``ordering_key`` with its plant."""

    position: int
    webhook_id: str
    ordering_key: str | None
    cloud_event: Mapping[str, Any]


@dataclass(frozen=True)
class FeedPage:
    """``position``: up to where the feed was looked at, where the next page begins; ``is_more``: whether it goes on."""

    events: Sequence[Told]
    position: int
    is_more: bool


@dataclass(frozen=True)
class _Sent:
    """What a feed entry's message says of itself; ``length`` of its document, in characters."""

    source: str
    ordering_key: str | None
    length: int


def newest_position(session: Session) -> int:
    return session.execute(select(func.max(FeedEntry.position))).scalar_one() or 0


def first_position_since(session: Session, since: datetime) -> int:
    """The position behind which all that was told since then stands; found by halving, as positions grow with time."""
    low, high = 0, newest_position(session)
    while low < high:
        middle = (low + high) // 2
        query = select(FeedEntry.position, FeedEntry.told_at).where(FeedEntry.position > middle)
        found = session.execute(query.order_by(FeedEntry.position).limit(1)).one_or_none()
        if found is None or found.told_at >= since:
            high = middle
        else:
            low = found.position
    return low


def read_feed(session: Session, after: int, most: int, chosen: FeedFilter, up_to: int | None = None) -> FeedPage:
    """The events behind ``after``, and not behind ``up_to``, that the filter lets pass; at most ``most`` of them."""
    entries = _entries(session, after, up_to)
    passing = [entry for entry in entries if _passes(entry, chosen)]
    sent = _sent(session, passing[:most])
    taken = passing[: _fitting(passing[:most], sent)]
    if len(taken) < len(passing):
        position, is_more = taken[-1].position, True
    else:
        position, is_more = entries[-1].position if entries else after, len(entries) == LOOKED_AT_MOST
    told = _told(session, taken, sent)
    return FeedPage([one for one in told if not chosen.items or _names(one, chosen.items)], position, is_more)


def read_entries(session: Session, positions: Collection[int]) -> dict[int, Told]:
    """The events at these positions; the caller asks for few."""
    query = select(FeedEntry).where(FeedEntry.position.in_(sorted(positions)))
    entries = session.scalars(query).all()
    return {told.position: told for told in _told(session, entries, _sent(session, entries))}


def _entries(session: Session, after: int, up_to: int | None) -> Sequence[FeedEntry]:
    query = select(FeedEntry).where(FeedEntry.position > after)
    query = query if up_to is None else query.where(FeedEntry.position <= up_to)
    return session.scalars(query.order_by(FeedEntry.position).limit(LOOKED_AT_MOST)).all()


def _passes(entry: FeedEntry, chosen: FeedFilter) -> bool:
    is_of_type = not chosen.types or newest_type(entry.type) in chosen.types
    return is_of_type and (not chosen.plants or entry.plant in chosen.plants)


def _fitting(entries: Sequence[FeedEntry], sent: Mapping[int, _Sent]) -> int:
    """How many of them make a page by what they hold: one at least."""
    left, counted = CHARACTERS_MOST, set[int]()
    for number, entry in enumerate(entries):
        if entry.message_id not in counted:
            left -= sent[entry.message_id].length if entry.message_id in sent else 0
            counted.add(entry.message_id)
        if left < 0 and number:
            return number
    return len(entries)


def _sent(session: Session, entries: Sequence[FeedEntry]) -> dict[int, _Sent]:
    ids = sorted({entry.message_id for entry in entries})
    of_it = and_(MessageDocument.message_id == Message.id, MessageDocument.step == ENRICHED)
    length = func.coalesce(func.length(type_coerce(MessageDocument.body, Text)), 0)
    query = select(Message.id, Message.source, Message.ordering_key, length).outerjoin(MessageDocument, of_it)
    found: dict[int, _Sent] = {}
    for start in range(0, len(ids), CHUNK):
        for key, *values in session.execute(query.where(Message.id.in_(ids[start : start + CHUNK]))):
            found[key] = _Sent(*values)
    return found


def _told(session: Session, entries: Sequence[FeedEntry], sent: Mapping[int, _Sent]) -> list[Told]:
    ids = sorted({entry.message_id for entry in entries})
    documents: dict[int, Any] = {}
    for start in range(0, len(ids), CHUNK):
        documents |= load_documents(session, ids[start : start + CHUNK], ENRICHED)
    return [_tell(entry, sent.get(entry.message_id), documents.get(entry.message_id)) for entry in entries]


def _tell(entry: FeedEntry, sent: _Sent | None, document: Any) -> Told:
    """The entry as a CloudEvent. Where its document is gone or torn, ``data`` is null and the rest is told."""
    event, name = _event(document, entry.event_index), f"{entry.message_id}-{entry.event_index}"
    key = sent.ordering_key if sent else None
    attributes: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"{name}-compensated" if entry.undone else name,
        "source": f"/lineside/plants/{entry.plant}",
        "type": COMPENSATED if entry.undone else newest_type(entry.type),
        "time": event.data["event_time"] if event and not entry.undone else instant_text(entry.told_at),
        "datacontenttype": "application/json",
        "plant": entry.plant,
        "sender": sent.source if sent else "",
        "messageid": str(entry.message_id),
        "feedposition": str(entry.position),
    }
    if key is not None:
        attributes["partitionkey"] = key
    if entry.undone:
        data: Any = {"id": name, "type": newest_type(entry.type), "items": sorted(_items(event)) if event else []}
    else:
        attributes["dataschema"] = f"/v1/schemas/{attributes['type']}"
        data = dict(event.data) if event else None
    within = None if key is None else f"{entry.plant}/{key}"
    return Told(entry.position, attributes["id"], within, {**attributes, "data": data})


def instant_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _event(document: Any, index: int) -> Event | None:
    try:
        return newest(Event(document[index]["type"], document[index]["data"]))
    except (LookupError, TypeError, MappingError):
        return None


def _items(event: Event) -> set[str]:
    """The items that an event names, also the one that it describes anew."""
    named = contract.referenced_items(event)
    return named | {event.data["item"]} if "item" in event.data else named


def _names(told: Told, items: Collection[str]) -> bool:
    data = told.cloud_event["data"] or {}
    if told.cloud_event["type"] == COMPENSATED:
        return not set(items).isdisjoint(data["items"])
    return bool(data) and not set(items).isdisjoint(_items(Event(told.cloud_event["type"], data)))
