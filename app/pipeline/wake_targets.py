"""Wake what waits for a target, once it takes postings: one to see whether it answers, then ever more of them.

Thousands at once would be as many claims for room that is not there, and a target that just came back could fall again.
"""

from __future__ import annotations

from collections.abc import Collection, MutableMapping

from sqlalchemy import Integer, String, bindparam, select
from sqlalchemy.orm import Session

from app.inbox.wakes import waits_for, wake
from app.pipeline.context import Pipeline
from app.pipeline.outcome import target_reference
from app.postings.circuit import CircuitState
from app.postings.pauses import read_pauses
from app.postings.room import read_circuits
from app.store.base import table_of
from app.store.messages_tables import Message
from app.store.prepared import Prepared

FIRST_PORTION = 25
PORTION_MOST = 5_000


def wake_for_targets(pipeline: Pipeline, portions: MutableMapping[str, int]) -> None:
    """Called every second. ``portions``: how many were last woken for each target, twice as many each time."""
    now = pipeline.clock()
    with pipeline.store.reading() as session:
        plants, paused = read_pauses(session)
        looks = read_circuits(session, pipeline.topology.targets, {}, now)
        open_to = {code: look for code, look in looks.items() if look.alone is None and code not in paused}
        waited_for = [code for code in open_to if longest_waiting(session, code, 1, plants)]
    for code in [code for code in portions if code not in waited_for]:
        del portions[code]
    for code in waited_for:
        is_well = open_to[code].circuit.state is CircuitState.CLOSED
        portion = min(PORTION_MOST, portions.get(code, FIRST_PORTION)) if is_well else 1
        with pipeline.store.writing() as session:
            chosen = longest_waiting(session, code, portion, plants)
            wake(session, [target_reference(code)], pipeline.clock(), among=chosen)
        if is_well:
            portions[code] = portion * 2


def longest_waiting(session: Session, target: str, most: int, without_plants: Collection[str]) -> list[int]:
    """Messages that wait for this target, those first that were looked at longest ago: a document that the target
    never answers to is not asked about again before all others."""
    plants = sorted(without_plants)
    return _LONGEST.scalars(session, reference=target_reference(target), plants=plants, most=most)


_ROW = table_of(Message).c
_LONGEST = Prepared(
    select(_ROW.id)
    .where(waits_for(_ROW.waiting_for == bindparam("reference", type_=String)), _ROW.lease_token.is_(None))
    .where(_ROW.plant.not_in(bindparam("plants", expanding=True)))
    .order_by(_ROW.due_at, _ROW.id)
    .limit(bindparam("most", type_=Integer))
)
