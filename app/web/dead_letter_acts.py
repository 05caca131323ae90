"""What a person does with a message, from the API or the console: committed first, then the plants are nudged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, literal, select

from app.dead_letters.repair import REQUEUE_CHUNK, DeadLetterError, correct, discard, requeue, requeue_matching
from app.dead_letters.reversal import reverse
from app.dead_letters.selection import DeadFilter, NotDead, dead_ids, name_not_dead
from app.store.messages_tables import Message
from app.web.problems import Problem
from app.web.services import Services

# One request moves at most this many; it says when more are left, and the person repeats it.
ACT_MOST = 100_000
LISTED_MOST = 1_000


@dataclass(frozen=True)
class Acted:
    """``ids``: the first of them. ``more``: the filter matches further ones, which were left. ``not_dead``: ids that
    were given and are no dead letters."""

    count: int
    ids: list[int]
    more: bool = False
    not_dead: Sequence[NotDead] = ()


def requeue_ids(here: Services, ids: Sequence[int], actor: str, out_of_order: str | None = None) -> Acted:
    with here.store.writing() as session:
        moved = requeue(session, ids, actor, here.clock(), out_of_order)
        others = name_not_dead(session, ids, moved)
    nudge_plants(here, moved)
    return Acted(len(moved), sorted(moved)[:LISTED_MOST], not_dead=others)


def requeue_filtered(here: Services, chosen: DeadFilter, actor: str, out_of_order: str | None = None) -> Acted:
    """Requeue all that match, a chunk a commit, so that it holds nobody up and a crash keeps what it did."""
    count, first, after_id = 0, list[int](), 0
    while count < ACT_MOST:
        with here.store.writing() as session:
            moved = requeue_matching(session, chosen, actor, here.clock(), after_id, out_of_order)
        if not moved:
            return Acted(count, first)
        nudge_plants(here, moved)
        count, after_id = count + len(moved), max(moved)
        first += sorted(moved)[: LISTED_MOST - len(first)]
        if len(moved) < REQUEUE_CHUNK:
            return Acted(count, first)
    return Acted(count, first, more=True)


def discard_ids(here: Services, ids: Sequence[int], actor: str, reason: str) -> Acted:
    """End these dead letters; raises Problem where a target holds part of one."""
    try:
        with here.store.writing() as session:
            moved = discard(session, ids, actor, reason, here.clock())
            others = name_not_dead(session, ids, moved)
    except DeadLetterError as error:
        raise Problem(409, "not_possible", str(error)) from None
    return Acted(len(moved), sorted(moved)[:LISTED_MOST], not_dead=others)


def correct_message(here: Services, message_id: int, body: bytes, actor: str) -> None:
    """Resubmit a dead letter with another body; raises Problem where it is not dead or partly posted."""
    try:
        with here.store.writing() as session:
            correct(session, message_id, body, actor, here.clock())
    except DeadLetterError as error:
        raise Problem(409, "not_possible", str(error)) from None
    nudge_plants(here, {message_id})


def reverse_message(here: Services, message_id: int, reason: str, actor: str, by_hand: bool) -> None:
    """Have all reversed that targets hold of it; raises Problem where there is nothing to reverse."""
    try:
        with here.store.writing() as session:
            reverse(session, message_id, reason, actor, here.clock(), here.topology.lanes_of, by_hand)
    except DeadLetterError as error:
        raise Problem(409, "not_possible", str(error)) from None
    nudge_plants(here, {message_id})


def count_matching(here: Services, chosen: DeadFilter) -> int:
    """How many dead letters these are; counts no further than one request would move."""
    matching = select(literal(1)).select_from(Message).where(*chosen.conditions()).limit(ACT_MOST)
    with here.store.reading() as session:
        return session.execute(select(func.count()).select_from(matching.subquery())).scalar_one()


def look_at(here: Services, ids: Sequence[int]) -> Acted:
    """What an act on these ids would move, without doing it."""
    with here.store.reading() as session:
        found = dead_ids(session, ids)
        return Acted(len(found), sorted(found)[:LISTED_MOST], not_dead=name_not_dead(session, ids, found))


def nudge_plants(here: Services, ids: set[int]) -> None:
    """The plants of these messages, of which something is due."""
    if not ids:
        return
    plants: Counter[str] = Counter()
    listed = sorted(ids)
    with here.store.reading() as session:
        for start in range(0, len(listed), 500):
            query = select(Message.plant).where(Message.id.in_(listed[start : start + 500]))
            plants.update(session.scalars(query))
    for plant, count in plants.items():
        here.nudges.nudge(plant, count)
