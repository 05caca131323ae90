"""First and second step at once: what needs nothing but what is known already is transformed and enriched in the same
transactions. Whatever is not as plain as that is transformed, and left to the second step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import structlog
from sqlalchemy.orm import Session

from app.inbox.claim import Claimed
from app.inbox.restatements import open_corrections
from app.inbox.states import Move, State, Step, Through, move_messages
from app.pipeline.context import Pipeline
from app.pipeline.enrich import Enriched, enrich_message, facts_for, lane_of, save_enriched
from app.pipeline.lots import work_lots
from app.pipeline.outcome import Done, Failed, attempt, attempt_together
from app.pipeline.restating import corrected_ids
from app.pipeline.transform import Transformed, save_transformed, transform_all
from mappings.canonical.versions import newest
from mappings.context import Event

log = structlog.get_logger()


@dataclass
class StraightOn:
    """``ids``: those that are transformed; ``enriched``: which of them are enriched too; ``left``: how many of them
    are not; ``claimed``: how many were looked at."""

    ids: list[int] = field(default_factory=list)
    enriched: set[int] = field(default_factory=set)
    left: int = 0
    claimed: int = 0


@dataclass(frozen=True)
class Onward:
    """What the second step makes of a message, and the lane in which it is posted."""

    enriched: Enriched
    lane: int


def transform_straight_on(pipeline: Pipeline, plant: str, up_to: int) -> StraightOn:
    """Transform up to ``up_to`` due messages of the plant, and enrich those of them that go straight on."""
    done = StraightOn()
    done.ids = work_lots(pipeline, plant, Step.TRANSFORM, up_to, partial(_work_claimed, pipeline, plant, done))
    if done.enriched:
        log.info("messages_moved", plant=plant, done=Step.ENRICH.value, message_ids=sorted(done.enriched))
    return done


def _work_claimed(pipeline: Pipeline, plant: str, done: StraightOn, claimed: list[Claimed], token: str) -> set[int]:
    done.claimed += len(claimed)
    with pipeline.store.reading() as session:
        transformed, moves = transform_all(pipeline, session, claimed)
        enriched = _enrich_plain(pipeline, session, plant, claimed, transformed)
    save = partial(_save, pipeline, plant, token, moves, transformed)
    if len(claimed) == 1 and enriched:
        outcome = attempt_together(lambda: save(enriched))
        if isinstance(outcome, Failed):
            # The fault may lie in what the second step makes of it, which then meets it by itself.
            enriched = {}
        else:
            done.enriched |= outcome.value & enriched.keys()
            return outcome.value & transformed.keys()
    moved = save(enriched) & transformed.keys()
    done.enriched |= moved & enriched.keys()
    done.left += len(moved - enriched.keys())
    return moved


def _save(
    pipeline: Pipeline,
    plant: str,
    token: str,
    moves: Sequence[Move],
    transformed: Mapping[int, Transformed],
    enriched: Mapping[int, Onward],
) -> set[int]:
    with pipeline.store.writing() as session:
        now = pipeline.clock()
        every = [_straight_on(move, enriched.get(move.message_id)) for move in moves]
        moved = move_messages(session, every, now, lease_token=token)
        save_transformed(session, {key: value for key, value in transformed.items() if key in moved}, now)
        save_enriched(session, plant, {key: value.enriched for key, value in enriched.items() if key in moved}, now)
    return moved


def _straight_on(move: Move, onward: Onward | None) -> Move:
    """Past ``transformed``, for what is enriched too."""
    if onward is None:
        return move
    through = Through(State.TRANSFORMED, move.note)
    return replace(move, to=State.ENRICHED, step=Step.POST, lane=onward.lane, note=None, through=through)


def _enrich_plain(
    pipeline: Pipeline,
    session: Session,
    plant: str,
    claimed: Sequence[Claimed],
    transformed: dict[int, Transformed],
) -> dict[int, Onward]:
    """Those that are enriched without more ado: nothing they refer to is missing, they correct nothing and nothing has
    corrected them."""
    events = {key: _as_stored(done.events) for key, done in transformed.items()}
    plain = [one for one in claimed if one.id in events and not corrected_ids(events[one.id])]
    if not plain:
        return {}
    facts = facts_for(pipeline, session, plant, [event for one in plain for event in events[one.id]])
    replaced = open_corrections(session, [(one.id, one.source, one.source_message_id) for one in plain])
    found: dict[int, Onward] = {}
    for message in plain:
        if message.id in replaced:
            continue
        outcome = attempt(message.id, lambda m=message: enrich_message(pipeline, m, events[m.id], facts))  # type: ignore[misc]
        if isinstance(outcome, Done):
            keyed = replace(message, ordering_key=transformed[message.id].ordering_key)
            found[message.id] = Onward(outcome.value, lane_of(pipeline, keyed))
    return found


def _as_stored(events: Sequence[Event]) -> tuple[Event, ...]:
    """As the second step reads them: in the newest version of their type."""
    return tuple(newest(event) for event in events)
