"""Which dead letters a query means."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from app.dead_letters.selection import DeadFilter
from app.inbox.lookup import MessageFilter
from app.inbox.states import State
from app.web import parameters
from config.topology import Topology


def filter_of_query(query: Mapping[str, str]) -> DeadFilter:
    return DeadFilter(
        plant=parameters.text(query, "plant"),
        source=parameters.text(query, "source"),
        type=parameters.text(query, "type"),
        reason_code=parameters.text(query, "reason_code"),
        dead_after=parameters.moment(query, "dead_after"),
        dead_before=parameters.moment(query, "dead_before"),
    )


def as_messages(chosen: DeadFilter) -> MessageFilter:
    """The same choice, for a page of them."""
    return MessageFilter(
        plants=(chosen.plant,) if chosen.plant else (),
        states=(State.DEAD.value,),
        source=chosen.source,
        type=chosen.type,
        reason_code=chosen.reason_code,
        state_after=chosen.dead_after,
        state_before=chosen.dead_before,
    )


def unknown_code(chosen: DeadFilter, topology: Topology) -> str | None:
    """Why a choice that matches nothing never can: it names a plant or a source that the topology does not have."""
    for what, code, known in (("plant", chosen.plant, topology.plants), ("source", chosen.source, topology.sources)):
        if code and code not in known:
            near = difflib.get_close_matches(code, known, n=1, cutoff=0.6)
            hint = f", did you mean {near[0]}?" if near else "."
            return f"The topology has no {what} {code[:80]!r}{hint} It has: {', '.join(known)}."
    return None
