"""What is done one after the other in held lanes: the messages of a key; and of posted ones, what trails towards the
same target, so that a target which takes nothing holds no other."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.errors import WISH_MOST_SECONDS
from app.inbox.claim import Claimed
from app.inbox.states import Move, State, Step
from app.inbox.trailing import Place, Turn, first_trailing, turn_of
from app.pipeline.context import Pipeline
from app.pipeline.outcome import RECHECK_CAP_SECONDS, RECHECK_TURN_SECONDS, wait_for_turn
from app.postings.ledger import OpenPosting


class Queue(deque[Claimed]):
    """``target``: where these messages trail to; None for those that are not posted yet, or are being reversed."""

    target: str | None = None


@dataclass
class Trailing:
    """``queues``: by key and target. ``places``: in how many of them each message still stands; ``stops``: what it has
    to wait for in those that it has left."""

    queues: dict[Place, Queue] = field(default_factory=dict)
    places: Counter[int] = field(default_factory=Counter)
    stops: dict[int, list[Move]] = field(default_factory=dict)

    def line_up(self, place: Place, message: Claimed) -> None:
        queue = self.queues.setdefault(place, Queue())
        queue.target = place.target
        queue.append(message)
        self.places[message.id] += 1

    def stop(self, move: Move) -> None:
        self.stops.setdefault(move.message_id, []).append(move)

    def leave(self, message_id: int, now: datetime) -> Move | None:
        """Its move, once it stands in no queue any more: due again when the first of its stops ends, or never."""
        self.places[message_id] -= 1
        return None if self.places[message_id] > 0 else self.move_of(message_id, now)

    def move_of(self, message_id: int, now: datetime) -> Move:
        stops = self.stops.get(message_id, [])
        if not stops:
            return Move(message_id, State.POSTED, note="Nothing of it trails any more.")
        first = min(stops, key=lambda stop: stop.due_at or now)
        if len(stops) == 1:
            return replace(first, to=State.POSTED)
        # It can be woken by one thing only, so it is looked at for the others.
        due_at = min(first.due_at or now, now + timedelta(seconds=RECHECK_CAP_SECONDS))
        return replace(first, to=State.POSTED, due_at=due_at)


def line_up_trailing(
    pipeline: Pipeline,
    session: Session,
    messages: Sequence[Claimed],
    opened: Mapping[int, Sequence[OpenPosting]],
    now: datetime,
) -> Trailing:
    """Queue these posted messages for each target that something of them trails to. Where one may not go on there,
    neither may those behind it."""
    trailing = Trailing()
    before = _before(session, messages, opened)
    stopped: dict[Place, int] = {}
    for message in sorted(messages, key=turn_of):
        for target, posting in _heads(opened.get(message.id, ())).items():
            place = Place(message.ordering_key or f"message:{message.id}", target)
            earlier = before.get(place)
            if place in stopped:
                stop: Move | None = wait_for_turn(pipeline, message, target, stopped[place])
            elif earlier is not None and earlier < turn_of(message):
                stop = wait_for_turn(pipeline, message, target, earlier.id)
            elif message.workers_lost > 1 and trailing.places[message.id]:
                stop = _alone(message, now)
            else:
                stop = _not_now(pipeline, message, posting, now)
            if stop is None:
                trailing.line_up(place, message)
            else:
                stopped[place] = message.id
                trailing.stop(stop)
    return trailing


def _heads(postings: Sequence[OpenPosting]) -> dict[str, OpenPosting]:
    """The first posting towards each target."""
    heads: dict[str, OpenPosting] = {}
    for posting in postings:
        heads.setdefault(posting.target, posting)
    return heads


def _before(
    session: Session, messages: Sequence[Claimed], opened: Mapping[int, Sequence[OpenPosting]]
) -> dict[Place, Turn]:
    one_of_each = {message.ordering_key: message for message in messages if message.ordering_key}
    if not one_of_each:
        return {}
    targets = {posting.target for message in messages for posting in opened.get(message.id, ())}
    representatives = [message.id for message in one_of_each.values()]
    others = [message.id for message in messages]
    return first_trailing(session, messages[0].plant, representatives, others, targets)


def _not_now(pipeline: Pipeline, message: Claimed, posting: OpenPosting, now: datetime) -> Move | None:
    """Why this posting is not tried yet; None where it is."""
    if posting.is_left_to_people:
        return left_to_people(message, posting, now)
    target = pipeline.topology.targets.get(posting.target)
    # What lies further ahead than anything may was written by a clock that has been set back since.
    most = timedelta(seconds=max(WISH_MOST_SECONDS, RECHECK_TURN_SECONDS, target.retry.cap_seconds if target else 0.0))
    if posting.retry_at is None or not now < posting.retry_at <= now + most:
        return None
    return Move(
        message.id,
        State.POSTED,
        Step.POST,
        posting.retry_at,
        lane=message.lane,
        attempts=message.attempts,
        retries=posting.retries,
        retrying_since=posting.retrying_since,
        waiting_since=posting.waiting_since,
        reason_code="retry",
        reason=posting.reason,
    )


def _alone(message: Claimed, now: datetime) -> Move:
    """It ended workers, so it is made towards one target at a time: only one of them may be at fault."""
    told = "Workers ended while they had it: it is made towards one target after the other."
    return Move(message.id, State.POSTED, Step.POST, now, lane=message.lane, reason_code="worker_lost", reason=told)


def left_to_people(message: Claimed, posting: OpenPosting, now: datetime, reason: str | None = None) -> Move:
    """Nobody asks for this posting any more before a person decides."""
    return Move(
        message.id,
        State.POSTED,
        Step.POST,
        now + timedelta(seconds=RECHECK_TURN_SECONDS),
        lane=message.lane,
        attempts=message.attempts,
        waiting_for=f"decision:{posting.id}",
        reason_code="unknown",
        reason=reason or posting.reason,
    )
