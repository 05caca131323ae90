"""Which of the due messages of some lanes may take effect now, and what the others wait for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from sqlalchemy.orm import Session

from app.errors import Refused
from app.inbox.claim import Claimed, is_gap
from app.inbox.order import blocking_predecessors, overtaken
from app.inbox.sequences import SEQUENCE_MISSING, Position, Row, load_positions, missing, number_of, reach
from app.inbox.states import Move, Requeued, State, Step
from app.pipeline.context import Pipeline
from app.pipeline.outcome import Done, attempt, dead_move, failure_move, wait_for_gap, wait_for_key
from app.projections.fulfilment import references_fulfilled
from app.projections.production_orders import RELEASED
from config.topology import GaplessSequence, RetryPolicy
from mappings.canonical import contract
from mappings.context import Event

RANGES_NAMED = 3
OUT_OF_ORDER = "out_of_order"


@dataclass
class Turns:
    """``moves``: of those that may not go on now. ``numbers``: the place of each that a gapless source has numbered.
    ``notes``: what the timeline is to say of one that is late."""

    moves: dict[int, Move] = field(default_factory=dict)
    numbers: dict[int, tuple[Row, int]] = field(default_factory=dict)
    notes: dict[int, str] = field(default_factory=dict)


def take_turns(
    pipeline: Pipeline,
    session: Session,
    plant: str,
    messages: Sequence[Claimed],
    events: Mapping[int, Sequence[Event]],
    now: datetime,
) -> Turns:
    """Look at these messages, which come in the order in which they are to take effect."""
    turns = Turns()
    fulfils = _read(pipeline, messages, events, turns)
    messages = [message for message in messages if message.id in fulfils]
    blocked = blocking_predecessors(session, plant, messages, fulfils)
    for message in messages:
        if message.id in blocked:
            before = blocked[message.id]
            looks_soon = bool(fulfils[message.id]) and not before.is_dead
            turns.moves[message.id] = wait_for_key(pipeline, message, before.id, looks_soon)
    _stop_overtaken(session, plant, messages, events, turns)
    _look_for_gaps(pipeline, session, [one for one in messages if one.id not in turns.moves], turns, now)
    return turns


def _read(
    pipeline: Pipeline, messages: Sequence[Claimed], events: Mapping[int, Sequence[Event]], turns: Turns
) -> dict[int, set[str]]:
    """The references that each of these messages brings; one whose events cannot be read is dead."""
    fulfils: dict[int, set[str]] = {}
    for message in messages:
        outcome = attempt(message.id, lambda m=message: references_fulfilled(m.plant, events[m.id]))  # type: ignore[misc]
        if isinstance(outcome, Done):
            fulfils[message.id] = outcome.value
        else:
            turns.moves[message.id] = failure_move(pipeline, message, Step.POST, outcome.error, RetryPolicy())
    return fulfils


def _stop_overtaken(
    session: Session,
    plant: str,
    messages: Sequence[Claimed],
    events: Mapping[int, Sequence[Event]],
    turns: Turns,
) -> None:
    """A requeued message whose key was not known while it was dead held nobody. Where later ones of its key have taken
    effect since, a person has to say that it may take effect after them. What only tells states needs no leave: the
    newest stands anyway."""
    told_anew = [
        message
        for message in messages
        if message.requeued == Requeued.IN_ORDER
        and message.id not in turns.moves
        and any(contract.told_thing(event) is None for event in events[message.id])
    ]
    later = overtaken(session, plant, [message.id for message in told_anew], RELEASED)
    for message in told_anew:
        if message.id in later:
            told = f"Message {later[message.id]} of {message.ordering_key}, which comes after it, took effect before"
            mend = "requeue it out of order, with a reason, to have it take effect all the same, or discard it"
            turns.moves[message.id] = dead_move(message, Refused(OUT_OF_ORDER, f"{told}: {mend}."))


def _look_for_gaps(
    pipeline: Pipeline, session: Session, messages: Sequence[Claimed], turns: Turns, now: datetime
) -> None:
    """Let those wait whose source leaves no number out, and who lack one; asks nothing where no source is like that."""
    rules = {code: s.gapless_sequence for code, s in pipeline.topology.sources.items() if s.gapless_sequence}
    numbered = {message.id: place for message in messages if message.source in rules and (place := _place(message))}
    if not numbered:
        return
    turns.numbers.update(numbered)
    positions = load_positions(session, {row for row, _ in numbered.values()})
    stopped: dict[str, Claimed] = {}
    for message in messages:
        first = stopped.get(message.ordering_key or "")
        if first is not None:
            turns.moves[message.id] = wait_for_key(pipeline, message, first.id)
        elif message.id in numbered:
            row, number = numbered[message.id]
            rule = rules[message.source]
            reached, passed = positions.get(row, Position()).begun(rule.start)
            gap = list(islice(missing(reached, number, passed), RANGES_NAMED + 1))
            if gap:
                move = _stop(pipeline, session, message, rule, gap, now)
                turns.moves[message.id], stopped[row.ordering_key] = move, message
            elif number <= reached:
                turns.notes[message.id] = f"Came late: {row.source} had come to sequence {reached} by then."
            else:
                positions[row] = Position(reached, passed).reaches(number)


def _place(message: Claimed) -> tuple[Row, int] | None:
    number = number_of(message.sequence)
    if number is None or message.ordering_key is None:
        return None
    return Row(message.plant, message.source, message.ordering_key), number


def _stop(
    pipeline: Pipeline,
    session: Session,
    message: Claimed,
    rule: GaplessSequence,
    gap: Sequence[tuple[int, int]],
    now: datetime,
) -> Move:
    """Wait for what is missing; when that was long enough, do what the source's rule says."""
    lacking = f"{_numbers_told(gap)} of {_key_told(message.ordering_key or '')} from {message.source}"
    limit = rule.wait_seconds if rule.wait_seconds is not None else _wait_seconds(pipeline, message)
    since = message.waiting_since if is_gap(message.waiting_for) and message.waiting_since else now
    if now - since < timedelta(seconds=limit):
        return wait_for_gap(pipeline, message, f"Waits for {lacking}.", limit)
    told = f"{lacking} did not come within {_span_told(limit)}"
    if rule.when_missing == "dead":
        mend = "Have it sent, then requeue this message; requeued without, it goes on without."
        return dead_move(message, Refused(SEQUENCE_MISSING, f"{told[0].upper()}{told[1:]}. {mend}", "sequence"))
    place = _place(message)
    assert place is not None
    # Noted at once, so that it is gone past for good, whatever else the message has to wait for.
    reach(session, {place[0]: place[1] - 1}, now)
    return Move(message.id, State.ENRICHED, Step.POST, now, lane=message.lane, note=f"Goes on, since {told}.")


def _wait_seconds(pipeline: Pipeline, message: Claimed) -> float:
    return pipeline.topology.sources[message.source].wait_seconds


def _numbers_told(gap: Sequence[tuple[int, int]]) -> str:
    told = [str(first) if first == last else f"{first} to {last}" for first, last in gap[:RANGES_NAMED]]
    return f"sequence {', '.join(told)}" + (" and more" if len(gap) > RANGES_NAMED else "")


def _key_told(key: str) -> str:
    """``order:1000`` is our own way to write it; a sender's key stays as it is."""
    kind, _, code = key.partition(":")
    return f"{kind} {code}" if kind in ("order", "lot", "item") and code else key


def _span_told(seconds: float) -> str:
    return f"{seconds / 3_600:g} h" if seconds % 900 == 0 else f"{seconds:g} s"


def rows_reached(numbers: Mapping[int, tuple[Row, int]], done: Sequence[Claimed]) -> dict[Row, int]:
    """How far each row of numbers has come with these messages."""
    reached: dict[Row, int] = {}
    for message in done:
        if message.id in numbers:
            row, number = numbers[message.id]
            reached[row] = max(number, reached.get(row, number))
    return reached
