"""Choose which postings of held lanes are made next, and commit them together with all that the last ones brought."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.errors import TargetPaused
from app.inbox.lanes import extend_lanes, is_any_due, release_lanes
from app.pipeline.after_call import stop_key
from app.pipeline.calls import (
    LEASE_MARGIN_SECONDS,
    WAVE_SECONDS,
    WAVE_THREADS,
    StartBy,
    longest_call_seconds,
)
from app.pipeline.context import Pipeline
from app.pipeline.outcome import Done, attempt_together
from app.pipeline.pace import Pace
from app.pipeline.queues import Queue
from app.pipeline.recording import bury, raise_if_database_trouble, record_in_parts, write_news
from app.pipeline.trailing import leave
from app.pipeline.visit import LanesLost, Visit, hold_lanes, hold_lanes_in
from app.postings.ledger import OpenPosting, record_intents
from app.postings.pauses import pause_target, read_pauses
from app.postings.room import Look, Room, give_back_room, hold_room, read_circuits, take_room


@dataclass
class Wave:
    """``calls``: how many calls each target gets side by side; the postings beyond that are made in turn."""

    start_by: StartBy
    pace: Pace
    postings: list[OpenPosting] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    made: Counter[str] = field(default_factory=Counter)

    def take(self, posting: OpenPosting, room: Room) -> bool:
        """Whether there is room for it, in this process's threads and in the target."""
        target = posting.target
        if room.postings is not None and self.made[target] >= room.postings:
            return False
        if self.calls[target] < room.calls and self.calls.total() < WAVE_THREADS:
            self.calls[target] += 1
        elif self.made[target] >= self.calls[target] * self.pace.in_turn(target, WAVE_SECONDS):
            return False
        self.made[target] += 1
        self.postings.append(posting)
        return True


def hold_and_choose(pipeline: Pipeline, plant: str, up_to: int) -> tuple[Visit, Wave | None] | None:
    """Hold lanes and commit the intent of their first wave in one transaction: for a message that comes alone the
    transactions are what costs. Where the two cannot be saved together, or some of what is held have cost workers, the
    wave is still to be chosen."""
    outcome = attempt_together(lambda: _hold_and_commit(pipeline, plant, up_to))
    if isinstance(outcome, Done):
        return outcome.value
    raise_if_database_trouble(outcome)
    visit = hold_lanes(pipeline, plant, up_to)
    return None if visit is None else (visit, None)


def _hold_and_commit(pipeline: Pipeline, plant: str, up_to: int) -> tuple[Visit, Wave | None] | None:
    with pipeline.store.writing() as session:
        visit = hold_lanes_in(session, pipeline, plant, up_to)
        if visit is None:
            return None
        if any(message.workers_lost for message in visit.messages.values()):
            return visit, None
        wave, posted = _choose(pipeline, session, visit, None)
    _committed(visit, wave, posted)
    return visit, wave


def commit_and_choose(pipeline: Pipeline, visit: Visit) -> Wave:
    """Write all that happened, choose the next wave and commit its intent; an empty wave ends the visit.

    Where that cannot be saved together, what happened is written first, part by part; then ever fewer intents are
    tried. Each round ends a message or leaves fewer, so there is an end. Trouble of the database is raised.
    """
    most: int | None = None
    while True:
        outcome = attempt_together(lambda most=most: _commit(pipeline, visit, most), LanesLost)  # type: ignore[misc]
        if isinstance(outcome, Done):
            return outcome.value
        raise_if_database_trouble(outcome)
        if visit.has_news:
            record_in_parts(pipeline, visit)
            continue
        heads = _heads(visit)[:most]
        if len(heads) > 1:
            most = len(heads) // 2
            continue
        # With nobody's intent it must work, or the fault is no message's, and none may die of it.
        wave = _commit(pipeline, visit, 0)
        if not heads:
            return wave
        bury(pipeline, visit, heads[0].message_id, outcome)
        most = None


def _commit(pipeline: Pipeline, visit: Visit, most: int | None) -> Wave:
    """The same in one transaction, with the intents of so many heads at most."""
    with pipeline.store.writing() as session:
        wave, posted = _choose(pipeline, session, visit, most)
    _committed(visit, wave, posted)
    return wave


def _choose(pipeline: Pipeline, session: Session, visit: Visit, most: int | None) -> tuple[Wave, list[int]]:
    """The wave, and the messages that are posted by what is written besides."""
    now, monotonic = pipeline.clock(), time.monotonic()
    for target, reason in visit.pauses.items():
        pause_target(session, target, reason, now)
    paused_plants, paused = read_pauses(session)
    looks = read_circuits(session, pipeline.topology.targets, visit.told, now)
    _stop_what_cannot_go_on(pipeline, visit, paused, looks)
    wave = Wave(StartBy(pipeline.clock, now + timedelta(seconds=WAVE_SECONDS), monotonic + WAVE_SECONDS), pipeline.pace)
    heads = [] if visit.plant in paused_plants else _heads(visit)[:most]
    longest = longest_call_seconds(pipeline, heads)
    until = wave.start_by.at + timedelta(seconds=longest + LEASE_MARGIN_SECONDS)
    if not extend_lanes(session, visit.plant, visit.lanes, visit.token, until):
        raise LanesLost
    posted = write_news(pipeline, session, visit, now)
    needed = visit.lanes_needed()
    release_lanes(session, visit.plant, visit.lanes - needed, visit.token, now)
    if not needed:
        visit.is_last = not is_any_due(session, visit.plant, now)
    _take_room(pipeline, session, visit, heads, {code for code in looks if looks[code].is_news}, wave, until)
    record_intents(session, wave.postings, pipeline.worker, now)
    return wave, posted


def _committed(visit: Visit, wave: Wave, posted: list[int]) -> None:
    visit.forget_news(visit.messages, posted)
    visit.lanes = visit.lanes_needed()
    visit.pauses, visit.told, visit.holds_room = {}, {}, bool(wave.calls)


def _heads(visit: Visit) -> list[OpenPosting]:
    """The next posting of the first message of each queue."""
    heads = [(head, queue) for queue in visit.queues if queue and (head := visit.head(queue)) is not None]
    visit.heads = {head.id: queue for head, queue in heads}
    return [head for head, _ in heads]


def _stop_what_cannot_go_on(
    pipeline: Pipeline, visit: Visit, paused: Mapping[str, str], looks: Mapping[str, Look]
) -> None:
    """Note messages with nothing left as finished, and let those wait whose target takes nothing now."""
    for queue in visit.queues:
        while queue:
            head = visit.head(queue)
            if head is None:
                _pass(pipeline, visit, queue)
            elif head.target in paused:
                stop_key(
                    pipeline, visit, queue, TargetPaused(f"Target {head.target} is paused: {paused[head.target]}"), head
                )
            elif head.target in looks and (alone := looks[head.target].alone) is not None:
                stop_key(pipeline, visit, queue, TargetPaused(alone), head)
            else:
                break


def _pass(pipeline: Pipeline, visit: Visit, queue: Queue) -> None:
    """Nothing is left of the queue's first message."""
    message = queue.popleft()
    if queue.target is not None:
        leave(pipeline, visit, [message])
    else:
        (visit.reversed if message.id in visit.orders else visit.finished).append(message)


def _take_room(
    pipeline: Pipeline,
    session: Session,
    visit: Visit,
    heads: Sequence[OpenPosting],
    news: Collection[str],
    wave: Wave,
    until: datetime,
) -> None:
    """Give back the room of the last wave, and take what the heads need and their targets have. ``news``: targets whose
    circuit changes by what the last calls told."""
    now, known = pipeline.clock(), pipeline.topology.targets
    if visit.holds_room:
        give_back_room(session, visit.token)
    targets = {code: known[code] for code in {posting.target for posting in heads}.union(news) & known.keys()}
    rooms, held = hold_room(session, targets, visit.told, visit.plant, now)
    visit.without_room = {}
    for posting in heads:
        if not posting.required and wave.postings and wave.postings[0].required:
            continue  # what is required comes first among the heads, and waits for no call that is not
        room = rooms.get(posting.target) or Room(WAVE_THREADS)  # of a target that is gone: it is refused uncalled
        if not wave.take(posting, room):
            visit.without_room[posting.target] = room.again_at or now
    take_room(session, held, wave.calls, wave.made, visit.token, visit.plant, until)
