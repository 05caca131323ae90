"""What one message would become: canonical events, and the document for each target of their routes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.orm import Session

from app.crosswalks.reading import CrosswalkBook
from app.errors import LinesideError, Waiting
from app.mapping_changes.submissions import Submission
from app.mapping_changes.trying import Fault, fault_of, tried
from app.pipeline.enrich import Facts, check_items, check_order, load_facts, plan_posting, with_own_releases
from app.pipeline.transform import Transformed, canonical_of
from config.topology import RouteTarget, Topology
from mappings.canonical import contract
from mappings.canonical.versions import newest
from mappings.context import Crosswalks, Event


@dataclass(frozen=True)
class TargetDocument:
    """``document`` is None where the target has nothing to do, where ``needs`` says which items' facts it takes,
    ``waits`` what the message would wait for, or ``fault`` why there is none."""

    target: str
    required: bool
    document: Mapping[str, Any] | None = None
    needs: str | None = None
    waits: str | None = None
    fault: Fault | None = None


@dataclass(frozen=True)
class PreviewedEvent:
    """``waits``: what the message would wait for. ``faults``: why it would be dead although its event is sound."""

    event: Event
    waits: tuple[str, ...]
    faults: tuple[Fault, ...]
    documents: tuple[TargetDocument, ...]


@dataclass(frozen=True)
class Preview:
    """``note`` tells what departs from the format's standard and was taken all the same; ``waits`` what it would wait
    for before it can be mapped."""

    place: str
    type: str
    source_message_id: str
    ordering_key: str | None = None
    mapping_version: str | None = None
    note: str | None = None
    events: tuple[PreviewedEvent, ...] = ()
    waits: str | None = None
    fault: Fault | None = None

    @property
    def is_refused(self) -> bool:
        """Whether it, or a posting that is required, would be refused."""
        unmade = (document.fault for each in self.events for document in each.documents if document.required)
        return self.fault is not None or any(each.faults for each in self.events) or any(unmade)


@dataclass(frozen=True)
class Looking:
    """The topology, and the database where there is one: it knows items, orders and crosswalks."""

    topology: Topology
    session: Session | None = None
    book: CrosswalkBook = field(default_factory=CrosswalkBook)


def preview(looking: Looking, submission: Submission) -> Preview:
    """Everything up to the posting, without it; nothing is stored."""
    message = submission.message
    tables = source_tables(looking, message.source)
    done = tried(lambda: canonical_of(looking.topology, message, submission.payload, tables))
    named = (submission.place, message.type, message.source_message_id)
    if isinstance(done, Waiting):
        return Preview(*named, waits=done.reason)
    if isinstance(done, LinesideError):
        return Preview(*named, fault=fault_of(done))
    events = tuple(_events(looking, submission, done))
    return Preview(*named, done.ordering_key, done.mapping_version, done.note, events)


def _events(looking: Looking, submission: Submission, done: Transformed) -> Iterator[PreviewedEvent]:
    plant = submission.message.plant
    facts = _facts(looking, plant, done.events)
    for index, event in enumerate(map(newest, done.events)):
        waits, faults = _checked(looking, submission, event, facts, f"events[{index}]")
        routes = looking.topology.route_of(submission.message.source, event.type, plant)
        documents = (_document(looking, submission, index, event, facts, route) for route in routes)
        yield PreviewedEvent(event, tuple(waits), tuple(faults), tuple(documents))


def _facts(looking: Looking, plant: str, events: Sequence[Event]) -> Facts:
    if looking.session is None:
        return Facts({}, set())
    events = [newest(event) for event in events]
    facts = with_own_releases(load_facts(looking.session, plant, events), events)
    used = ((target.code, target.crosswalks) for target in looking.topology.targets.values())
    return replace(facts, crosswalks=looking.book.read(looking.session, used))


def source_tables(looking: Looking, code: str) -> Mapping[str, Crosswalks]:
    """The tables that this source uses; without a database none has an entry."""
    source = looking.topology.sources.get(code)
    if source is None:
        return {}
    if looking.session is None:
        return {code: Crosswalks(code, source.crosswalks)}
    return looking.book.read(looking.session, [(code, source.crosswalks)])


def _checked(
    looking: Looking, submission: Submission, event: Event, facts: Facts, place: str
) -> tuple[list[str], list[Fault]]:
    """As the second step would check it. Without a database nothing is known, and that alone is no reason to wait."""
    if looking.session is None:
        return [], []
    checks: tuple[Callable[[], None], ...] = (
        lambda: check_items(looking.topology, event, facts, place),
        lambda: check_order(looking.topology, submission.message, event, facts),
    )
    errors = [error for check in checks if isinstance(error := tried(check), LinesideError)]
    waits = [error.reason for error in errors if isinstance(error, Waiting)]
    return waits, [fault_of(error) for error in errors if not isinstance(error, Waiting)]


def _document(
    looking: Looking, submission: Submission, index: int, event: Event, facts: Facts, route: RouteTarget
) -> TargetDocument:
    plant = looking.topology.plants[submission.message.plant]
    message = submission.message
    planned = tried(lambda: plan_posting(looking.topology, message, plant, index, event, facts, route))
    if not isinstance(planned, LinesideError):
        return TargetDocument(route.target, route.required, planned.document if planned else None)
    if isinstance(planned, Waiting):
        return TargetDocument(route.target, route.required, waits=planned.reason)
    unknown = sorted(contract.referenced_items(event) - facts.items.keys())
    if unknown and getattr(planned, "code", None) == "item_unknown":
        return TargetDocument(route.target, route.required, needs=", ".join(unknown))
    return TargetDocument(route.target, route.required, fault=fault_of(planned))
