"""Run stored messages through the mappings of this code, and hold what comes out against what was, or was released."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.crosswalks.reading import CrosswalkBook
from app.errors import LinesideError
from app.mapping_changes.comparison import Comparison, Outcome
from app.mapping_changes.event_differences import differences
from app.mapping_changes.stored_messages import StoredMessage
from app.mapping_changes.trying import Fault, fault_of, tried
from app.pipeline.transform import canonical_of
from app.store.session import Store
from config.topology import Topology
from mappings.context import Crosswalks

# What the topology or the envelope decides before any mapping is asked, in every release alike.
_NOT_OF_THE_MAPPING = {"not_in_topology", "sequence_invalid", "partitionkey_invalid", "too_many_events"}

Released = Callable[[StoredMessage], Outcome]


@dataclass(frozen=True)
class Today:
    """What a mapping is told beside its payload: the topology, and the crosswalks by source."""

    topology: Topology
    crosswalks: Mapping[str, Crosswalks] = field(default_factory=dict)


def read_today(store: Store, topology: Topology) -> Today:
    used = ((source.code, source.crosswalks) for source in topology.sources.values())
    with store.reading() as session:
        return Today(topology, CrosswalkBook().read(session, used))


def compare(comparison: Comparison, today: Today, messages: Iterable[StoredMessage], released: Released | None) -> None:
    """Add these messages. Without ``released`` what is stored is what was before."""
    for stored in messages:
        group = comparison.groups[stored.message.source, stored.message.type]
        group.looked_at += 1
        if stored.before is None:
            group.not_mapped_yet += 1
            continue
        group.versions[stored.mapping_version or "none"] += 1
        after = outcome_now(today, stored)
        before = stored.before
        if released is not None:
            is_other = isinstance(after, Fault) and after.code in _NOT_OF_THE_MAPPING
            before = after if is_other else released(stored)
            group.stored_otherwise += _differ(stored.before, before)
        comparison.add(group, stored.message.id, before, after)


def outcome_now(today: Today, stored: StoredMessage) -> Outcome:
    """What this code, this topology and these crosswalks make of the stored payload."""
    done = tried(lambda: canonical_of(today.topology, stored.message, stored.payload, today.crosswalks))
    if isinstance(done, LinesideError):
        return fault_of(done)
    return [{"type": event.type, "data": dict(event.data)} for event in done.events]


def _differ(before: Outcome, after: Outcome) -> bool:
    if isinstance(before, Fault) or isinstance(after, Fault):
        return isinstance(before, Fault) != isinstance(after, Fault)
    return bool(differences(before, after))
