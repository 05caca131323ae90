"""A lot's history as an EPCIS 2.0 document: what each message told of it, as the events of an EPCIS repository.

Written by the mappings that an ``epcis`` target of the topology uses, with that target's options, so that an event has
the id here that it has in that repository.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.postings.plan import posting_key
from app.projections.lot_history import History, history_of
from app.projections.lot_trace import Direction
from app.store.documents import ENRICHED, load_documents
from app.store.messages_tables import Message
from app.store.session import Store
from app.web.lots import told_gap
from app.web.problems import Problem
from config.topology import Target, Topology
from mappings.canonical.versions import newest
from mappings.context import Crosswalks, Event, ItemFacts, MappingError, OutboundContext, PlantFacts
from mappings.outbound.epcis.documents import CONTEXT
from mappings.registry import OUTBOUND

FAMILY = "epcis"
NAMESPACE = "urn:lineside:epcis:"
AT_ONCE = 100
MESSAGES_MOST = 5_000
CONTENT_TYPE = "application/ld+json"


@dataclass(frozen=True)
class Asked:
    """``after``: messages up to this id were told in the page before; ``most``: so many messages a page."""

    item: str
    lot: str
    directions: Sequence[Direction] = (Direction.UP, Direction.DOWN)
    target: str | None = None
    after: int = 0
    most: int = 1_000


def lot_document(store: Store, topology: Topology, asked: Asked, now: datetime) -> Iterator[str]:
    """The document in pieces, in which no more than some messages are in memory at a time.

    Its extension ``lineside:history`` names what EPCIS cannot say of these messages, the gaps of the genealogy, and
    where the next page begins. Raises Problem, before the first piece, where the target is none of EPCIS.
    """
    target = _target(topology, asked.target)
    with store.reading() as session:
        history = history_of(session, asked.item, asked.lot, asked.directions)
    ids = [key for key in history.message_ids if key > asked.after]
    page, rest = ids[: asked.most], ids[asked.most :]
    return _pieces(store, topology, target, asked, history, page, page[-1] if rest else None, now)


def _pieces(
    store: Store,
    topology: Topology,
    target: Target | None,
    asked: Asked,
    history: History,
    page: Sequence[int],
    following: int | None,
    now: datetime,
) -> Iterator[str]:
    head = {
        "@context": [CONTEXT, {"lineside": NAMESPACE}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    yield json.dumps(head)[:-1] + ', "epcisBody": {"eventList": ['
    untold: list[dict[str, Any]] = []
    comma = ""
    for start in range(0, len(page), AT_ONCE):
        with store.reading() as session:
            told = _told(session, topology, target, history, page[start : start + AT_ONCE], untold)
        for event in told:
            yield comma + json.dumps(event, ensure_ascii=False)
            comma = ", "
    extension = {
        "lot": {"item": asked.item, "lot": asked.lot},
        "directions": [direction.value for direction in asked.directions],
        "is_whole": history.is_whole,
        "gaps": [told_gap(gap) for gap in history.gaps],
        "untold": untold,
        "next": following,
    }
    yield ']}, "lineside:history": ' + json.dumps(extension, ensure_ascii=False) + "}"


def _target(topology: Topology, code: str | None) -> Target | None:
    """The target whose options say how items and places are called; the only one of EPCIS unless named, or none."""
    known = {one.code: one for one in topology.targets.values() if one.mapping == FAMILY}
    if code is not None:
        if code not in known:
            listed = ", ".join(sorted(known)) or "none"
            raise Problem(422, "refused", f"{code} is no target with the mapping {FAMILY}; there is: {listed}.")
        return known[code]
    if len(known) > 1:
        raise Problem(
            422, "refused", f"There are several targets with the mapping {FAMILY}: {', '.join(sorted(known))}."
        )
    return next(iter(known.values()), None)


def _told(
    session: Session,
    topology: Topology,
    target: Target | None,
    history: History,
    ids: Sequence[int],
    untold: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """The EPCIS events of these messages; what cannot be told as such is added to ``untold`` with the reason."""
    documents = load_documents(session, ids, ENRICHED)
    columns = (Message.id, Message.plant, Message.source, Message.source_message_id, Message.generation)
    events: list[dict[str, Any]] = []
    for message in session.execute(select(*columns).where(Message.id.in_(ids)).order_by(Message.id)):
        for index, stored in enumerate(documents.get(message.id, ())):
            event = newest(Event(stored["type"], stored["data"]))
            if not _speaks_of(event, history):
                continue
            try:
                events += _events_of(topology, target, message, index, event, stored["context"])
            except MappingError as error:
                lacking = {"message_id": message.id, "event": index, "type": event.type}
                untold.append(lacking | {"code": error.code, "reason": error.reason})
        if message.id not in documents:
            told = "What it became is not here any more."
            untold.append({"message_id": message.id, "event": None, "type": None, "code": "gone", "reason": told})
    return events


def _events_of(
    topology: Topology, target: Target | None, message: Any, index: int, event: Event, then: Mapping[str, Any]
) -> list[dict[str, Any]]:
    mapping = OUTBOUND.get((FAMILY, event.type))
    if mapping is None:
        raise MappingError("event_unknown", f"EPCIS has no event for {event.type}.")
    code = target.code if target else FAMILY
    key = posting_key(message.source, message.source_message_id, index, code, message.generation)
    plant = topology.plants.get(message.plant)
    facts = PlantFacts(message.plant, then["plant"]["name"], then["plant"]["timezone"], plant.options if plant else {})
    options = target.mapping_options if target else {}
    context = OutboundContext(facts, code, key, _items(then), options, Crosswalks())
    document = mapping.to_document(event, context)
    return list(document["capture"]["epcisBody"]["eventList"]) if document is not None else []


def _items(then: Mapping[str, Any]) -> dict[str, ItemFacts]:
    """The items as they were when the event was enriched."""
    return {
        code: ItemFacts(
            code, was["description"], was["base_uom"], {unit: Decimal(factor) for unit, factor in was["units"].items()}
        )
        for code, was in then["items"].items()
    }


def _speaks_of(event: Event, history: History) -> bool:
    """Whether a line of it names one of the lots; a message may tell of others besides."""
    return any(one in history.lots for one in _lots_in(event.data))


def _lots_in(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        if value.get("item") and value.get("lot"):
            yield value["item"], value["lot"]
        for inner in value.values():
            yield from _lots_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _lots_in(inner)
