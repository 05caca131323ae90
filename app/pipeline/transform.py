"""First step: the source's own payload becomes canonical events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from app.errors import Refused, Waiting
from app.inbox.claim import Claimed
from app.inbox.order import sequence_rank
from app.inbox.replays import Replay, replay_in, reversal_reference, still_standing
from app.inbox.sequences import DIGITS_MOST, number_of
from app.inbox.states import Move, State, Step, move_messages
from app.pipeline.context import Pipeline
from app.pipeline.lots import work_lots
from app.pipeline.outcome import Done, attempt, failure_move, refuse_if_it_costs_workers
from app.store.base import table_of
from app.store.documents import CANONICAL, StoredPayload, load_payloads, save_documents
from app.store.messages_tables import Message
from app.store.prepared import Prepared
from config.topology import Plant, RetryPolicy, Source, Topology
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import (
    CORRECT_IT,
    Crosswalks,
    Deviations,
    Event,
    InboundContext,
    MappingError,
    NothingToDo,
    PlantFacts,
)
from mappings.formats import json_body
from mappings.registry import INBOUND

CLOUDEVENT_JSON = "application/cloudevents+json"
CANONICAL_VERSION = "canonical"
# One message is worked on, and posted, as a whole; a document of more events than this is a batch job's.
EVENTS_LIMIT = 2_000
KEY_LIMIT = 250


@dataclass(frozen=True)
class Transformed:
    """A message's canonical events (none where there is nothing to do), its ordering key, its rank within the key, and
    the mapping that made them. ``note``: where the payload departs from its standard and was taken all the same, or why
    there is nothing to do."""

    events: tuple[Event, ...]
    ordering_key: str | None
    key_rank: str
    mapping_version: str
    note: str | None = None


def transform_due(pipeline: Pipeline, plant: str, up_to: int) -> list[int]:
    """Transform up to ``up_to`` due messages of the plant; returns the ids that are now transformed."""
    return work_lots(pipeline, plant, Step.TRANSFORM, up_to, partial(_transform_claimed, pipeline))


def _transform_claimed(pipeline: Pipeline, claimed: list[Claimed], token: str) -> set[int]:
    with pipeline.store.reading() as session:
        results, moves = transform_all(pipeline, session, claimed)
    with pipeline.store.writing() as session:
        now = pipeline.clock()
        moved = move_messages(session, moves, now, lease_token=token)
        save_transformed(session, {key: value for key, value in results.items() if key in moved}, now)
    return moved & results.keys()


def transform_all(
    pipeline: Pipeline, session: Session, claimed: Sequence[Claimed]
) -> tuple[dict[int, Transformed], list[Move]]:
    """What becomes of each of these, and the move that follows; nothing is written."""
    now = pipeline.clock()
    payloads = load_payloads(session, [message.id for message in claimed])
    crosswalks = read_crosswalks(pipeline, session, {message.source for message in claimed})
    standing = still_standing(session, payloads)
    results: dict[int, Transformed] = {}
    moves: list[Move] = []
    for message in claimed:
        outcome = attempt(message.id, lambda m=message: _transform(pipeline, m, payloads[m.id], crosswalks, standing))  # type: ignore[misc]
        if isinstance(outcome, Done):
            results[message.id] = outcome.value
            moves.append(Move(message.id, State.TRANSFORMED, Step.ENRICH, now, note=outcome.value.note))
        else:
            moves.append(failure_move(pipeline, message, Step.TRANSFORM, outcome.error, RetryPolicy()))
    return results, moves


def read_crosswalks(pipeline: Pipeline, session: Session, sources: set[str]) -> Mapping[str, Crosswalks]:
    """The tables that these sources use, by source."""
    known = (pipeline.topology.sources.get(code) for code in sorted(sources))
    return pipeline.crosswalks.read(session, ((source.code, source.crosswalks) for source in known if source))


def _transform(
    pipeline: Pipeline,
    message: Claimed,
    payload: StoredPayload,
    crosswalks: Mapping[str, Crosswalks],
    standing: Mapping[int, int],
) -> Transformed:
    """Canonical events of one message. Raises Refused (or MappingError) with the place of the fault, and Waiting for a
    replay whose first message is still in effect (``standing``, by id)."""
    refuse_if_it_costs_workers(message)
    if (first := standing.get(message.id)) is not None:
        told = f"Waits for message {first} to be reversed, whose place it takes."
        raise Waiting(reversal_reference(first), told)
    return canonical_of(pipeline.topology, message, payload, crosswalks)


def canonical_of(
    topology: Topology, message: Claimed, payload: StoredPayload, crosswalks: Mapping[str, Crosswalks]
) -> Transformed:
    """What this topology, these crosswalks (by source) and today's mapping make of the payload; raises Refused or
    MappingError. It reads nothing else, so it can be asked without a database."""
    source = topology.source_of(message.source)
    plant = topology.plants.get(message.plant)
    if source is None or plant is None:
        missing = f"source {message.source}" if source is None else f"plant {message.plant}"
        raise Refused("not_in_topology", f"The topology no longer knows {missing}; add it again, then requeue.")
    _check_sequence(source, message)
    body, attributes = _unwrap(payload)
    replay = replay_in(payload)
    context = _context(source, plant, message, crosswalks, replay)
    events, version = _read_events(source, message, body, attributes, context)
    if isinstance(events, NothingToDo):
        return _without_effect(message, attributes, events, version, context)
    if not events:
        raise Refused("no_event", "The payload holds nothing that this mapping can use; send it anew or discard it.")
    if len(events) > EVENTS_LIMIT:
        told = f"The payload becomes {len(events):,} events, more than {EVENTS_LIMIT:,}; send it in several messages."
        raise Refused("too_many_events", told)
    if replay is not None:
        events = tuple(_correcting(event, replay) for event in events)
    key = _partition_key(attributes) or contract.ordering_key(newest(events[0]))
    return Transformed(events, key, _rank(message, events), version, context.deviations.told())


def _without_effect(
    message: Claimed, attributes: Mapping[str, Any], nothing: NothingToDo, version: str, context: InboundContext
) -> Transformed:
    """Its place is that of its receipt, where its sender gave it none."""
    rank = sequence_rank(message.sequence) if message.sequence else _instant_rank(message.received_at)
    told = " ".join(filter(None, [f"Nothing to do: {nothing.reason}", context.deviations.told()]))
    return Transformed((), _partition_key(attributes), rank, version, told)


def _check_sequence(source: Source, message: Claimed) -> None:
    if source.gapless_sequence and message.sequence and number_of(message.sequence) is None:
        told = (
            f"Source {source.code} numbers without gaps, and {message.sequence!r} is no number of {DIGITS_MOST} digits"
        )
        mend = "have it sent anew with its number and discard this one, or take gapless_sequence out of the topology."
        raise Refused("sequence_invalid", f"{told}: {mend}", "sequence")


def _partition_key(attributes: Mapping[str, Any]) -> str | None:
    """The sender's own key; it passed the door, but not where it stands in a correction."""
    key = attributes.get("partitionkey")
    if key is None:
        return None
    if not isinstance(key, str | int) or not str(key).isprintable() or len(str(key)) > KEY_LIMIT:
        told = f"The partitionkey must be text of at most {KEY_LIMIT} printable characters. {CORRECT_IT}"
        raise Refused("partitionkey_invalid", told, "partitionkey")
    return str(key)


def _read_events(
    source: Source, message: Claimed, body: Any, attributes: Mapping[str, Any], context: InboundContext
) -> tuple[tuple[Event, ...], str]:
    """Parse, map and check one payload; also the version (content hash) of the mapping that did it."""
    if contract.is_canonical(message.type):
        data = _readable(json_body.read, body, context.deviations) if isinstance(body, bytes) else body
        if isinstance(data, dict) and "event_time" not in data and "time" in attributes:
            data = {**data, "event_time": attributes["time"]}
        return (Event(message.type, _checked(message.type, data)),), CANONICAL_VERSION
    mapping = INBOUND.get((source.mapping, message.type))
    if mapping is None:
        known = ", ".join(sorted(kind for family, kind in INBOUND if family == source.mapping)) or "none"
        raise Refused(
            "type_unmapped",
            f"Source {source.code} (mapping {source.mapping}) has no mapping for type {message.type!r}; "
            f"known types: {known}. Add the mapping, then requeue.",
        )
    parsed = _readable(mapping.read, body, context.deviations) if isinstance(body, bytes) else body
    events = mapping.to_canonical(parsed, context)
    if isinstance(events, NothingToDo):
        return events, mapping.version
    checked = tuple(Event(event.type, _checked(event.type, event.data)) for event in events)
    return checked, mapping.version


def _readable(read: Callable[[bytes, Deviations], Any], body: bytes, deviations: Deviations) -> Any:
    """The body's value; a reader names the fault, and here it is told what a person can do about it."""
    try:
        return read(body, deviations)
    except MappingError as error:
        raise MappingError(error.code, f"{error.reason} {CORRECT_IT}", error.field) from None


def _checked(event_type: str, data: Any) -> dict[str, Any]:
    try:
        return contract.validate(event_type, data)
    except MappingError as error:
        raise MappingError(error.code, f"{error.reason}. {CORRECT_IT}", error.field) from None


def _unwrap(payload: StoredPayload) -> tuple[Any, Mapping[str, Any]]:
    """The data of a CloudEvent and its attributes; any other payload as it is."""
    if not payload.content_type.startswith(CLOUDEVENT_JSON):
        return payload.body, payload.attributes
    event = json_body.read(payload.body)
    if not isinstance(event, dict) or "data" not in event:
        raise Refused("data_missing", f"The CloudEvent has no `data`. {CORRECT_IT}", "data")
    data = event["data"]
    attributes = {key: value for key, value in event.items() if key != "data"}
    return data.encode() if isinstance(data, str) else data, attributes


def _correcting(event: Event, replay: Replay) -> Event:
    """The event of a replay names what it corrects, unless the sender itself said what that is."""
    return Event(event.type, {"correction_of": replay.source_message_id, **event.data})


def _context(
    source: Source,
    plant: Plant,
    message: Claimed,
    crosswalks: Mapping[str, Crosswalks],
    replay: Replay | None,
) -> InboundContext:
    return InboundContext(
        plant=PlantFacts(plant.code, plant.name, plant.timezone, plant.options),
        source=source.code,
        source_message_id=replay.source_message_id if replay else message.source_message_id,
        received_at=replay.received_at if replay else message.received_at,
        units=source.units,
        options=source.options,
        deviations=Deviations(strict=source.conformance == "strict"),
        crosswalks=crosswalks.get(source.code, Crosswalks()),
    )


def _rank(message: Claimed, events: Sequence[Event]) -> str:
    """Sorts by the sender's sequence where it gave one, else by the time of the event."""
    if message.sequence:
        return sequence_rank(message.sequence)
    return _instant_rank(min(contract.event_time(event) for event in events))


def _instant_rank(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


_KEY_UPDATE = Prepared(
    update(table_of(Message))
    .where(table_of(Message).c.id == bindparam("b_id"))
    .values(ordering_key=bindparam("b_key"), key_rank=bindparam("b_rank"), mapping_version=bindparam("b_version"))
)


def save_transformed(session: Session, results: Mapping[int, Transformed], now: datetime) -> None:
    """Write the keys and the events of those that are transformed now."""
    if not results:
        return
    _KEY_UPDATE.run_each(
        session,
        [
            {"b_id": key, "b_key": done.ordering_key, "b_rank": done.key_rank, "b_version": done.mapping_version}
            for key, done in results.items()
        ],
    )
    documents = {
        key: [{"type": event.type, "data": event.data} for event in done.events] for key, done in results.items()
    }
    save_documents(session, documents, CANONICAL, now)
