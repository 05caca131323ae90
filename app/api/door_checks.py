"""What is checked before a message is accepted: what its sender can mend at once is told at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from app.access.keys import KeyOwner
from app.api.digest import content_digest
from app.inbox.accept import Incoming
from app.inbox.sightings import sighting_of
from app.web.contract_check import check_contract
from app.web.problems import FieldError, Problem
from app.web.received import Received
from config.topology import Source, Topology
from mappings.canonical.registry import SCHEMAS
from mappings.registry import INBOUND

# How like a known type another must be to count as a slip of the pen: one or two letters of twenty.
SLIP_LIKENESS = 0.85

# Types that say what Lineside itself has decided, and where that is asked for.
DECIDED_HERE = {
    "inventory.reserved.v1": "POST /v1/processes/reserve-inventory",
    "inventory.reservation.ended.v1": "POST /v1/processes/release-reservation",
}


def to_incoming(
    received: Received, key: KeyOwner, topology: Topology, default_plant: str | None, *, is_process: bool = False
) -> Incoming:
    """The message as the inbox takes it; raises Problem where source, plant, type or content are refused.
    ``is_process``: a process call makes it, and not a sender."""
    source = _source(received, key, topology)
    plant = _plant(received.plant or default_plant, source, key, topology)
    _check_type(received.type, source)
    if received.type in DECIDED_HERE and not is_process:
        raise Problem(422, "refused", f"Type {received.type} is made by {DECIDED_HERE[received.type]}, never sent.")
    data = check_contract(received.type, received.kind, received.data, received.time, received.data_pointer)
    return Incoming(
        plant=plant,
        source=source.code,
        source_message_id=received.source_message_id,
        type=received.type,
        content_type=received.content_type,
        body=received.body,
        digest=content_digest(received.type, plant, data, received.raw_data),
        attributes=received.attributes,
        ordering_key=received.ordering_key,
        sequence=received.sequence,
        traceparent=received.traceparent,
        sighting=sighting_of(source, plant, received.sequence, _payload(received)),
    )


def _payload(received: Received) -> Any:
    """What a number may be read from: XML is kept as its bytes, which are read only where somebody asks."""
    return received.raw_data if received.kind == "xml" else received.data


def _source(received: Received, key: KeyOwner, topology: Topology) -> Source:
    code = received.source or key.source
    source = topology.sources.get(code)
    if source is None:
        raise _unknown("source", code, topology.sources)
    if key.source != code:
        raise Problem(403, "forbidden", f"This key belongs to source {key.source}; it may not send for {code}.")
    if source.intake != "http":
        raise Problem(
            403,
            "forbidden",
            f"Source {code} drops files into its folder and does not send over HTTP; send as a source with "
            "`intake: http`, or change it in the topology file.",
        )
    return source


def _plant(named: str | None, source: Source, key: KeyOwner, topology: Topology) -> str:
    allowed = [plant for plant in source.plants if key.may_send_for(plant)]
    if named is None:
        if len(allowed) == 1:
            return allowed[0]
        raise Problem(
            422,
            "refused",
            f"Say which plant: send the attribute `plant`, or ?plant=..., as one of: {', '.join(allowed)}.",
            [FieldError("is missing", place="plant")],
            more={"known": allowed},
        )
    if named not in topology.plants:
        raise _unknown("plant", named, topology.plants)
    if named not in source.plants:
        raise Problem(
            422,
            "refused",
            f"Source {source.code} sends for {', '.join(source.plants)}, not for {named}; see the topology file.",
            [FieldError("is not a plant of this source", place="plant")],
        )
    if not key.may_send_for(named):
        raise Problem(403, "forbidden", f"This key may not send for plant {named}.")
    return named


def _check_type(event_type: str, source: Source) -> None:
    """A slip in a known type is told at once. Any other type is kept: it is dead until somebody maps it, then it is
    requeued, and its sender need not be asked to send again what may be weeks old."""
    known = [kind for family, kind in INBOUND if family == source.mapping] + list(SCHEMAS)
    if event_type not in known and difflib.get_close_matches(event_type, known, n=1, cutoff=SLIP_LIKENESS):
        raise _unknown("type", event_type, known, f" for source {source.code}")


def _unknown(what: str, name: str, known: Iterable[str], behind: str = "") -> Problem:
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    hint = f"; did you mean {near[0]!r}?" if near else "."
    detail = f"Unknown {what} {name[:80]!r}{behind}{hint} Known: {', '.join(names)}."
    return Problem(422, "refused", detail, [FieldError("is unknown", place=what)], more={"known": names})
