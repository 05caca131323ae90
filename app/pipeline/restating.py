"""A correction takes the place of the message that it names: what that one brought is undone first, by the targets' own
reversals, and only then is the correction posted.

Nothing is undone for a correction that cannot be posted itself, as far as that is known before its targets are asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import LinesideError, Refused, Waiting
from app.inbox.claim import Claimed
from app.inbox.order import lane_number, wake_next
from app.inbox.restatements import FAMILY_MOST, Family, close_restatement, lock_family, message_reference
from app.inbox.sequences import Row, number_of, pass_over
from app.inbox.states import Move, State, Step, move_messages
from app.inbox.wakes import wake_arrived
from app.pipeline.context import Pipeline
from app.postings.ledger import messages_with_effects
from app.postings.reversals import Order, open_orders, save_orders
from app.postings.trailing import withdraw
from app.store.messages_tables import Message
from mappings.canonical import contract
from mappings.context import Event

ON_ITS_WAY = (State.RECEIVED, State.TRANSFORMED)
STOPPED = (State.WAITING, State.DEAD)
UNDONE = (State.COMPENSATED, State.DISCARDED)


class Superseded(Exception):
    """A later correction stands in the place of this one: it ends without having had an effect."""

    def __init__(self, by: int) -> None:
        super().__init__(f"superseded by message {by}")
        self.by = by


@dataclass
class _Verdict:
    """What is to be done with the corrected ones, and why the correction cannot go on yet."""

    stops_for: Exception | None = None
    to_reverse: list[Message] = field(default_factory=list)
    to_end: list[Message] = field(default_factory=list)

    def stop(self, error: LinesideError) -> None:
        """What a person has to mend is told before what only takes time."""
        if self.stops_for is None or isinstance(error, Refused):
            self.stops_for = error


def corrected_ids(events: Sequence[Event]) -> list[str]:
    """The ids, given by the sender, of the messages that these events re-state."""
    return list(dict.fromkeys(one for event in events if (one := contract.corrected(event)) is not None))


def undo_corrected(pipeline: Pipeline, message: Claimed, events: Sequence[Event]) -> str:
    """See that everything which this correction re-states is undone; returns what the timeline is to say of it.

    Raises Waiting while a message is missing or still to be undone, Refused where one cannot be, Superseded where a
    later correction has taken the place. What is ordered here is committed before anything is raised."""
    corrects = corrected_ids(events)
    if message.source_message_id in corrects:
        raise Refused("correction_invalid", "It names itself as the message that it corrects; correct correction_of.")
    with pipeline.store.writing() as session:
        now = pipeline.clock()
        family = lock_family(session, message.id, message.source, message.source_message_id, corrects)
        verdict = _judge(session, message, family)
        _order_reversals(pipeline, session, message, verdict.to_reverse, now)
        _end_without_effect(session, message, verdict.to_end, now)
        if verdict.stops_for is None:
            close_restatement(session, message.id)
    if verdict.stops_for is not None:
        raise verdict.stops_for
    named = ", ".join(str(one.id) for one in family.earlier[:5]) + (", ..." if len(family.earlier) > 5 else "")
    return f"Re-states message {named}, of which nothing counts any more."


def _why_not_on(message: Claimed, family: Family) -> Exception | None:
    if not family.is_whole:
        told = f"More than {FAMILY_MOST} messages re-state each other here; reverse those that count by hand."
        return Refused("correction_too_long", told, "correction_of")
    if family.later is not None:
        return Superseded(family.later)
    if family.missing:
        lacking = family.missing[0]
        told = f"Waits for message {lacking!r} of source {message.source}, which it corrects."
        return Waiting(message_reference(message.source, lacking), told)
    return None


def _judge(session: Session, message: Claimed, family: Family) -> _Verdict:
    verdict = _Verdict(_why_not_on(message, family))
    if verdict.stops_for is not None:
        return verdict
    left = [one for one in family.earlier if one.state not in UNDONE and one.id != message.id]
    ids = [one.id for one in left]
    orders, held = open_orders(session, ids), messages_with_effects(session, ids)
    for one in left:
        is_free = one.lease_token is None
        if one.archive_id is not None:
            verdict.stop(_exported(one))
        elif one.id in orders:
            verdict.stop(_refused(one) if one.state == State.DEAD else _waits(one, "is reversed"))
        elif one.state == State.POSTED or (one.id in held and one.state in STOPPED and is_free):
            verdict.to_reverse.append(one)
            verdict.stop(_waits(one, "is reversed"))
        elif one.state in ON_ITS_WAY or one.id in held or not is_free:
            verdict.stop(_waits(one, "is no longer under way"))
        else:
            verdict.to_end.append(one)
    return verdict


def _exported(one: Message) -> Refused:
    told = f"Message {one.id}, which it corrects, is so old that what was sent of it is no longer here"
    mend = "reverse it in the targets, then correct this message: without correction_of, and with the difference only."
    return Refused("correction_refused", f"{told}: {mend}", "correction_of")


def _waits(one: Message, until: str) -> Waiting:
    told = f"Waits until message {one.id}, which it corrects, {until}."
    return Waiting(message_reference(one.source, one.source_message_id), told)


def _refused(one: Message) -> Refused:
    told = f"Message {one.id}, which it corrects, could not be reversed and stands: {one.reason}"
    return Refused("correction_refused", f"{told} Once message {one.id} is compensated, requeue this one.")


def _order_reversals(
    pipeline: Pipeline, session: Session, message: Claimed, originals: Sequence[Message], now: datetime
) -> None:
    """As a person's order: a posted message stays posted, and holds nobody, until all is undone."""
    if not originals:
        return
    reason = f"Corrected by message {message.id}."
    save_orders(session, [Order(one.id, one.generation, now, "lineside", reason, "compensated") for one in originals])
    moves = []
    for one in originals:
        lane = one.lane or lane_number(one.ordering_key, one.id, pipeline.topology.lanes_of(one.plant))
        to = State.POSTED if one.state == State.POSTED else State.ENRICHED
        moves.append(Move(one.id, to, Step.POST, now, lane=lane, note=f"Reversal ordered: {reason}"))
    move_messages(session, moves, now)


def _end_without_effect(session: Session, message: Claimed, originals: Sequence[Message], now: datetime) -> None:
    """Of these nothing took effect, and nothing is to any more. Nobody holds them: their rows are locked, and their
    leases are free."""
    if not originals:
        return
    ids = [one.id for one in originals]
    withdraw(session, ids, now)
    told = f"Corrected by message {message.id} before it took effect; no target holds anything of it."
    moved = move_messages(session, [Move(key, State.COMPENSATED, note=told) for key in ids], now)
    _pass_on(session, [one for one in originals if one.id in moved], now)


def superseded_move(message: Claimed, by: int) -> Move:
    """A correction was there first: this one ends before it had an effect."""
    told = f"Message {by} re-states it, or what it re-states: this one is not posted."
    return Move(message.id, State.COMPENSATED, note=told)


def end_superseded(session: Session, messages: Sequence[Claimed], now: datetime) -> None:
    """These ended by that; whoever waits for them goes on."""
    if messages:
        _pass_on(session, messages, now)
        wake_arrived(session, [message_reference(one.source, one.source_message_id) for one in messages], now)


def _pass_on(session: Session, messages: Sequence[Message | Claimed], now: datetime) -> None:
    """Nobody waits any more for the turn of these, or for their numbers."""
    numbers: dict[Row, set[int]] = {}
    for one in messages:
        number = number_of(one.sequence)
        if number is not None and one.ordering_key is not None:
            numbers.setdefault(Row(one.plant, one.source, one.ordering_key), set()).add(number)
    pass_over(session, numbers, now)
    wake_next(session, [one.id for one in messages if one.ordering_key], now)
