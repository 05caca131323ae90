"""Which dead letters a query means."""

from __future__ import annotations

from collections.abc import Mapping

from app.dead_letters.selection import DeadFilter
from app.inbox.lookup import MessageFilter
from app.inbox.states import State
from app.web import parameters


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
