"""What becomes of a message when a target refuses it for good and others hold their part already, and when it is
reversed: ask what is unknown, reverse what is held, end.

Each of the three is work of its own for whoever holds the lane; the order in the database says that it is not done yet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from app.errors import Refused
from app.inbox.claim import Claimed
from app.inbox.order import wake_next
from app.inbox.replays import reversal_reference
from app.inbox.restatements import message_reference
from app.inbox.states import Move, State, Step
from app.inbox.trailing import wake_next_trailing
from app.inbox.wakes import wake_arrived
from app.pipeline.context import Pipeline
from app.pipeline.finish import stock_undone, undo_effect
from app.pipeline.outcome import InternalFault
from app.pipeline.visit import Visit
from app.postings.ledger import OpenPosting, PostingResult, PostingState, messages_with_effects
from app.postings.reversals import Order, end_orders, save_orders, tell_held, tell_reversed


def reverses_by_itself(pipeline: Pipeline, result: PostingResult) -> bool | None:
    """Whether the refusal has the message's other postings reversed; None where the target refused nothing for good."""
    posting = result.posting
    known = posting.target in pipeline.topology.targets
    if result.state is not PostingState.REFUSED or posting.reverses is not None or not known:
        return None
    return pipeline.topology.compensates(posting.kind, posting.plant, posting.target)


def refused_reversal(posting: OpenPosting, error: Refused) -> Refused:
    """Told as a reversal's, with what a person can do."""
    told = f"{posting.target}: {error.reason}"
    if posting.reverses is None or isinstance(error, InternalFault):
        return Refused(error.code, told, error.field)
    told = f"{posting.target} did not reverse its document {posting.reverses.reference}: {error.reason}"
    return Refused("reversal_refused", f"{told} Mend it there, then requeue: the reversal goes on.", error.field)


def kept_posted(message: Claimed, move: Move) -> Move:
    """A posted message that is being reversed waits as a posted one, so that it holds nobody of its key."""
    waits = message.state == State.POSTED and move.to is State.WAITING
    return replace(move, to=State.POSTED) if waits else move


def reverse_or_dead(session: Session, visit: Visit, now: datetime) -> tuple[list[Move], list[Order]]:
    """The lane's moves. A message that was refused, and of which another target holds a part, is reversed instead of
    dead; where the topology wants a person's order, it is dead and says what is held."""
    affected = messages_with_effects(session, list(visit.refused)) if visit.refused else set()
    held = tell_held(session, affected) if affected else {}
    orders = [
        _order(visit, move, now)
        for move in visit.moves
        if move.message_id in affected and visit.refused[move.message_id]
    ]
    reversed_ids = {order.message_id for order in orders}
    moves = [
        _reversing(move, held.get(move.message_id, ""), now)
        if move.message_id in reversed_ids
        else _held_by(move, held.get(move.message_id))
        for move in visit.moves
    ]
    return moves, orders


def _order(visit: Visit, move: Move, now: datetime) -> Order:
    reason = move.reason or ""
    generation = visit.messages[move.message_id].generation
    return Order(
        move.message_id, generation, now, "lineside", reason, "dead", move.reason_code, reason, move.reason_field
    )


def _reversing(refused: Move, held: str, now: datetime) -> Move:
    told = f"{refused.reason} Reversing: {held or 'asking what the other targets hold'}."
    return Move(
        refused.message_id, State.WAITING, Step.POST, now, lane=refused.lane, reason_code="reversing", reason=told
    )


def _held_by(move: Move, held: str | None) -> Move:
    if held is None:
        return move
    return replace(move, reason=f"{move.reason} But {held}: have that reversed, or mend it and requeue.")


def end_moves(session: Session, visit: Visit, now: datetime) -> list[Move]:
    """For each message that has nothing open any more: on to its reversals, or to the state that its order names."""
    told = tell_reversed(session, {message.id: visit.orders[message.id] for message in visit.reversed})
    moves = []
    for message in visit.reversed:
        if message.id in visit.settling:
            again = Move(message.id, State.WAITING, Step.POST, now, lane=message.lane, reason_code="reversing")
            moves.append(kept_posted(message, replace(again, reason="All is known; reversing what is held.")))
        else:
            moves.append(_end(message, visit.orders[message.id], told.get(message.id, "no target held anything")))
    return moves


def _end(message: Claimed, order: Order, told: str) -> Move:
    if order.ends_in == "compensated":
        return Move(order.message_id, State.COMPENSATED, note=f"{told}. {order.reason}")
    return Move(
        order.message_id,
        State.DEAD,
        lane=message.lane,
        reason_code=order.dead_code,
        reason=f"{order.dead_reason} Reversed: {told}.",
        reason_field=order.dead_field,
    )


def after_moves(session: Session, visit: Visit, orders: Sequence[Order], moved: Collection[int], now: datetime) -> None:
    """What goes with the moves in their transaction: the orders given, and the end of those that were carried out."""
    save_orders(session, [order for order in orders if order.message_id in moved])
    ended = [message for message in visit.reversed if message.id in moved and message.id not in visit.settling]
    wake_next_trailing(session, [(message.id, None) for message in ended if message.ordering_key], now)
    end_orders(session, [message.id for message in ended])
    wake_arrived(session, {one for m in ended for one in stock_undone(visit.plant, visit.events.get(m.id, ()))}, now)
    undone = [message for message in ended if visit.orders[message.id].ends_in == "compensated"]
    if undone:
        wake_arrived(session, [message_reference(one.source, one.source_message_id) for one in undone], now)
        undo_effect(session, visit.plant, [(message, visit.events[message.id]) for message in undone], now)
        wake_next(session, [message.id for message in undone if message.ordering_key], now)
        wake_arrived(session, [reversal_reference(message.id) for message in undone], now)
