"""Second step: events meet the plant, the items and the orders they speak of, and become documents for targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from app.errors import Refused, Waiting
from app.inbox.claim import Claimed
from app.inbox.order import lane_number
from app.inbox.restatements import open_corrections
from app.inbox.states import Move, State, Step, move_messages
from app.pipeline.context import Pipeline
from app.pipeline.lots import work_lots
from app.pipeline.outcome import Done, attempt, failure_move, refuse_if_it_costs_workers
from app.pipeline.periods import with_posting_date
from app.pipeline.restating import Superseded, corrected_ids, end_superseded, superseded_move, undo_corrected
from app.postings.plan import PlannedPosting, posting_key, save_plans
from app.projections.items import item_reference, load_items
from app.projections.production_orders import RELEASED, order_reference, released_orders
from app.projections.shipments import SHIPPED
from app.store.documents import CANONICAL, ENRICHED, load_documents, save_documents
from config.topology import Plant, RetryPolicy, RouteTarget, Target, Topology
from mappings.canonical import contract
from mappings.canonical.fields import INTEGER_DIGITS
from mappings.canonical.versions import newest
from mappings.context import Crosswalks, Event, ItemFacts, OutboundContext, PlantFacts
from mappings.registry import OUTBOUND
from mappings.units import Quantity, knows_unit, to_base


@dataclass(frozen=True)
class Facts:
    """What the database knows about everything that a batch refers to; crosswalks by target."""

    items: Mapping[str, ItemFacts]
    orders: set[str]
    crosswalks: Mapping[str, Crosswalks] = field(default_factory=dict)


@dataclass(frozen=True)
class Enriched:
    document: list[dict[str, Any]]
    postings: list[PlannedPosting]


def enrich_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Enrich up to ``up_to`` due messages of the plant; returns the ids that are now enriched."""
    return work_lots(pipeline, plant, Step.ENRICH, up_to, partial(_enrich_claimed, pipeline, plant))


def _enrich_claimed(pipeline: Pipeline, plant: str, claimed: list[Claimed], token: str) -> set[int]:
    now = pipeline.clock()
    with pipeline.store.reading() as session:
        events = load_events(session, [message.id for message in claimed], CANONICAL)
        facts = facts_for(pipeline, session, plant, [event for group in events.values() for event in group])
        new = [(one.id, one.source, one.source_message_id) for one in claimed if one.state == State.TRANSFORMED]
        replaced = open_corrections(session, new)
    results: dict[int, Enriched] = {}
    moves: list[Move] = []
    for message in claimed:
        if message.id in replaced:
            moves.append(superseded_move(message, replaced[message.id]))
            continue
        outcome = attempt(message.id, lambda m=message: enrich_message(pipeline, m, events[m.id], facts))  # type: ignore[misc]
        undone = _undo_corrected(pipeline, message, events) if isinstance(outcome, Done) else None
        if isinstance(undone, Move):
            moves.append(undone)
        elif isinstance(outcome, Done):
            results[message.id] = outcome.value
            moves.append(Move(message.id, State.ENRICHED, Step.POST, now, lane=lane_of(pipeline, message), note=undone))
        else:
            moves.append(failure_move(pipeline, message, Step.ENRICH, outcome.error, RetryPolicy()))
    with pipeline.store.writing() as session:
        now = pipeline.clock()
        moved = move_messages(session, moves, now, lease_token=token)
        ended = moved & {move.message_id for move in moves if move.to is State.COMPENSATED}
        end_superseded(session, [message for message in claimed if message.id in ended], now)
        save_enriched(session, plant, {key: value for key, value in results.items() if key in moved}, now)
    return moved & results.keys()


def save_enriched(session: Session, plant: str, results: Mapping[int, Enriched], now: datetime) -> None:
    """Write the documents and the planned postings of those that are enriched now."""
    save_documents(session, {key: value.document for key, value in results.items()}, ENRICHED, now)
    save_plans(session, plant, {key: value.postings for key, value in results.items()}, now)


def _undo_corrected(pipeline: Pipeline, message: Claimed, events: StoredEvents) -> Move | str | None:
    """Of a correction what becomes of it as long as what it corrects is not undone, and then what is told of that."""
    mine = events[message.id]
    if not corrected_ids(mine):
        return None
    try:
        outcome = attempt(message.id, lambda: undo_corrected(pipeline, message, mine), Superseded)
    except Superseded as later:
        return superseded_move(message, later.by)
    if isinstance(outcome, Done):
        return outcome.value
    return failure_move(pipeline, message, Step.ENRICH, outcome.error, RetryPolicy())


class StoredEvents(dict[int, tuple[Event, ...]]):
    """The events of messages. Who asks for those of one whose document cannot be read is told so."""

    def __missing__(self, message_id: int) -> tuple[Event, ...]:
        told = f"The stored document of message {message_id} is torn: it holds no events that can be read."
        mend = "Requeue it, to have it made anew from what was received; what a target holds has to be reversed before."
        raise Refused("document_unreadable", f"{told} {mend}")


def load_events(session: Session, message_ids: Sequence[int], step: str) -> StoredEvents:
    """The stored events of these messages, each in the newest version of its type."""
    documents = load_documents(session, message_ids, step)
    read = ((key, _events_of(body)) for key, body in documents.items())
    return StoredEvents({key: events for key, events in read if events is not None})


def _events_of(body: Any) -> tuple[Event, ...] | None:
    try:
        return tuple(newest(Event(entry["type"], entry["data"])) for entry in body)
    except (KeyError, TypeError):
        return None


def facts_for(pipeline: Pipeline, session: Session, plant: str, events: Sequence[Event]) -> Facts:
    """All that is needed to enrich these events, the targets' crosswalks among it."""
    return replace(load_facts(session, plant, events), crosswalks=read_crosswalks(pipeline, session))


def load_facts(session: Session, plant: str, events: Sequence[Event]) -> Facts:
    """Everything that these events refer to, in two queries however many they are."""
    codes = {code for event in events for code in contract.referenced_items(event)}
    orders = {order for event in events if (order := contract.needed_order(event)) is not None}
    return Facts(load_items(session, codes), released_orders(session, plant, orders))


def read_crosswalks(pipeline: Pipeline, session: Session) -> Mapping[str, Crosswalks]:
    """The tables that targets use, by target."""
    return pipeline.crosswalks.read(session, ((one.code, one.crosswalks) for one in pipeline.topology.targets.values()))


def lane_of(pipeline: Pipeline, message: Claimed) -> int:
    return lane_number(message.ordering_key, message.id, pipeline.topology.lanes_of(message.plant))


def enrich_message(pipeline: Pipeline, message: Claimed, events: Sequence[Event], facts: Facts) -> Enriched:
    """Check what the events refer to and plan their postings.

    Raises Waiting for an item or order that may still come, Refused for what can never be right.
    """
    refuse_if_it_costs_workers(message)
    plant = pipeline.topology.plants.get(message.plant)
    if plant is None:
        raise Refused("not_in_topology", f"The topology no longer knows plant {message.plant}; add it, then requeue.")
    facts = with_own_releases(facts, events)
    for index, event in enumerate(events):
        check_items(pipeline.topology, event, facts, f"events[{index}]")
        check_order(pipeline.topology, message, event, facts)
    postings = [
        posting
        for index, event in enumerate(events)
        for posting in plan_event(pipeline, message, plant, index, event, facts)
    ]
    # What may fail without harm comes last, so that it keeps nothing of what is required waiting.
    postings.sort(key=lambda posting: not posting.required)
    document = [
        {"type": event.type, "data": event.data, "context": _context_of(pipeline.topology, plant, event, facts.items)}
        for event in events
    ]
    return Enriched(document, postings)


def with_own_releases(facts: Facts, events: Sequence[Event]) -> Facts:
    """A message may bring the release of what it reports, as a row of a work order does: it waits for no other."""
    own = {event.data["order_id"] for event in events if event.type == RELEASED}
    return replace(facts, orders=facts.orders | own) if own else facts


def check_items(topology: Topology, event: Event, facts: Facts, place: str) -> None:
    """Raises Waiting for an item that nobody has described, Refused for a unit or an amount that it cannot have."""
    if "items" not in topology.systems_of_record:
        return
    for code in sorted(contract.referenced_items(event)):
        if code not in facts.items:
            raise Waiting(item_reference(code), f"Waits for item {code}, which no system has described yet.")
    for amount in contract.quantities(event):
        _check_amount(amount.quantity, facts.items[amount.item], f"{place}.{amount.place}")


def _check_amount(amount: Quantity, item: ItemFacts, place: str) -> None:
    if not knows_unit(item, amount.uom):
        known = ", ".join(sorted({item.base_uom, *item.units}))
        told = f"Item {item.code} has no unit {amount.uom!r}; it has: {known}."
        mend = "Add the unit to the item, or correct the message; then requeue."
        raise Refused("unit_unknown", f"{told} {mend}", f"{place}.uom")
    if to_base(amount, item).value.adjusted() >= INTEGER_DIGITS:
        told = f"{amount.value} {amount.uom} of item {item.code} is beyond {INTEGER_DIGITS} digits in {item.base_uom}"
        raise Refused("quantity_invalid", f"{told}; correct the quantity or the item's units.", f"{place}.value")


def check_order(topology: Topology, message: Claimed, event: Event, facts: Facts) -> None:
    """Raises Waiting for a production order that is not released."""
    order = contract.needed_order(event)
    source = topology.sources.get(message.source)
    if order is None or order in facts.orders or (source and not source.options.get("needs_released_order", True)):
        return
    raise Waiting(order_reference(message.plant, order), f"Waits for release of order {order}.")


def plan_event(
    pipeline: Pipeline, message: Claimed, plant: Plant, index: int, event: Event, facts: Facts
) -> list[PlannedPosting]:
    """One posting for each target that the topology routes this event to and that has something to do for it."""
    routes = pipeline.topology.route_of(message.source, event.type, message.plant)
    planned = (plan_posting(pipeline.topology, message, plant, index, event, facts, route) for route in routes)
    return [posting for posting in planned if posting is not None]


def plan_posting(
    topology: Topology,
    message: Claimed,
    plant: Plant,
    index: int,
    event: Event,
    facts: Facts,
    route: RouteTarget,
) -> PlannedPosting | None:
    """The posting of one event to one target; None where that has nothing to do. Raises Refused or MappingError."""
    target = topology.targets.get(route.target)
    if target is None:  # a correction of a system that the topology had when it was approved
        told = f"The topology no longer knows target {route.target}; add it again, then requeue."
        raise Refused("not_in_topology", told)
    mapping = OUTBOUND.get((target.mapping, event.type))
    if mapping is None:
        raise Refused(
            "target_unmapped",
            f"Target {target.code} (mapping {target.mapping}) has no mapping for {event.type}; "
            "add the mapping or take the route out, then requeue.",
        )
    key = posting_key(message.source, message.source_message_id, index, target.code, message.generation)
    document = mapping.to_document(event, _outbound_context(plant, target, key, event, facts))
    if document is None:
        return None
    document = with_posting_date(target, plant, event, document)
    version, generation = mapping.version, message.generation
    return PlannedPosting(target.code, event.type, route.required, key, version, document, generation)


def _outbound_context(plant: Plant, target: Target, key: str, event: Event, facts: Facts) -> OutboundContext:
    named = {code: facts.items[code] for code in contract.referenced_items(event) if code in facts.items}
    here = PlantFacts(plant.code, plant.name, plant.timezone, plant.options)
    tables = facts.crosswalks.get(target.code, Crosswalks())
    return OutboundContext(here, target.code, key, named, target.mapping_options, tables)


def _context_of(topology: Topology, plant: Plant, event: Event, items: Mapping[str, ItemFacts]) -> dict[str, Any]:
    goal = topology.plant_of_party(event.data.get("ship_to")) if event.type == SHIPPED else None
    return {
        **({"to_plant": goal} if goal else {}),
        "plant": {"code": plant.code, "name": plant.name, "timezone": plant.timezone},
        "items": {
            code: {
                "description": items[code].description,
                "base_uom": items[code].base_uom,
                "units": {unit: str(factor) for unit, factor in items[code].units.items()},
            }
            for code in sorted(contract.referenced_items(event))
            if code in items
        },
    }
