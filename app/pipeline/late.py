"""An event that tells a thing's state, and comes after a newer one has taken effect, changes nothing and says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from app.inbox.claim import Claimed
from app.postings.ledger import OpenPosting, PostingState, supersede
from app.postings.plan import posting_key
from app.projections.told_states import Telling, lock_standing, standing, weigh
from mappings.canonical import contract
from mappings.context import Event

NAMED_MOST = 3


def tellings_of(plant: str, messages: Sequence[tuple[Claimed, Sequence[Event]]]) -> dict[int, dict[int, Telling]]:
    """Of each message that tells states: what it tells, by the event's number."""
    found: dict[int, dict[int, Telling]] = {}
    for message, events in messages:
        for number, event in enumerate(events):
            told = contract.told_thing(event)
            if told is not None:
                found.setdefault(message.id, {})[number] = _telling(plant, message, event, *told)
    return found


def _telling(plant: str, message: Claimed, event: Event, kind: str, code: str) -> Telling:
    return Telling(
        f"{kind}:{plant}:{code}" if kind == "order" else f"{kind}:{code}",
        message.source,
        min(contract.event_time(event), message.received_at),
        message.id,
        message.ordering_key,
        message.key_rank if message.sequence else None,
    )


def things_of(tellings: Mapping[int, Mapping[int, Telling]]) -> set[str]:
    return {telling.thing for told in tellings.values() for telling in told.values()}


def drop_stale(
    session: Session,
    plant: str,
    messages: Sequence[Claimed],
    events: Mapping[int, Sequence[Event]],
    opened: dict[int, list[OpenPosting]],
    now: datetime,
) -> None:
    """Take out of ``opened`` what would tell targets a state that is older than the one that stands. What a target may
    hold already is left: it is asked for, and its answer kept."""
    tellings = tellings_of(plant, [(message, events[message.id]) for message in messages])
    if not tellings:
        return
    # Only what stands: an older message among these takes effect before the newer.
    stands = standing(session, things_of(tellings))
    for message in messages:
        told = tellings.get(message.id, {})
        stale, _ = weigh({message.id: told}, stands)
        lost = {number: str(current) for number, current in stale.get(message.id, {}).items()}
        dropped = {
            posting.id: lost[number]
            for posting in opened.get(message.id, ())
            for number in lost
            if posting.state is PostingState.PLANNED and posting.posting_key == _key(message, number, posting.target)
        }
        if dropped:
            supersede(session, dropped, now)
            opened[message.id] = [posting for posting in opened[message.id] if posting.id not in dropped]


def _key(message: Claimed, number: int, target: str) -> str:
    return posting_key(message.source, message.source_message_id, number, target, message.generation)


def late_notes(
    session: Session, plant: str, messages: Sequence[Claimed], events: Mapping[int, Sequence[Event]]
) -> dict[int, str]:
    """What the timeline says of each message that came after a newer state. What stands stays locked until the caller
    commits, so it is true of what they bring about as well."""
    tellings = tellings_of(plant, [(message, events[message.id]) for message in messages])
    if not tellings:
        return {}
    stale, _ = weigh(tellings, lock_standing(session, things_of(tellings)))
    return {key: _note(lost, len(lost) == len(events[key])) for key, lost in stale.items()}


def _note(lost: Mapping[int, Telling], whole: bool) -> str:
    told = "; ".join(str(current) for current in list(lost.values())[:NAMED_MOST])
    more = f"; and {len(lost) - NAMED_MOST} more" if len(lost) > NAMED_MOST else ""
    return f"Came late and {'changed nothing' if whole else 'changed nothing of this'}: {told}{more}."
