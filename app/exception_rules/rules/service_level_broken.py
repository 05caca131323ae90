"""A plant of which too many messages take longer than was agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.inbox.figures import IN_PROGRESS, LATENCY_MESSAGES, LATENCY_WITHIN
from app.inbox.states import State
from app.store.by_state import STATE_ORDER, within_state
from app.store.messages_tables import Message

LEVEL = "accept_to_posted_seconds"


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    return Portion([(context.plant,)] if LEVEL in context.topology.service_levels else [], None)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    """Late is what was posted of late and took longer, and what is under way or waits for longer already. A dead letter
    is another matter: it takes as long as a person takes."""
    seconds = context.topology.service_levels.get(LEVEL)
    if seconds is None or not keys:
        return []
    level = timedelta(seconds=seconds)
    posted = _posted(session, context)
    late = [key for key, took in posted if took > level]
    under_way = _under_way(session, context, level)
    total = len(posted) + len(under_way)
    share = (len(late) + len(under_way)) * 100 / total if total else 0.0
    if share <= context.settings.threshold:
        return []
    cause = Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, (context.plant,)),
        subject=f"service level of {context.plant}",
        severity=context.settings.severity,
        message=(
            f"{len(late) + len(under_way)} of {total} messages of the last hour take longer than the {seconds:g} s "
            f"from acceptance to posted that were agreed, {len(under_way)} of them still; at most "
            f"{context.settings.threshold:g} % may."
        ),
        plant=context.plant,
        object_type="plant",
        object_id=context.plant,
        messages=[*under_way, *late],
    )
    return [((context.plant,), cause)]


def _posted(session: Session, context: Context) -> list[tuple[int, timedelta]]:
    query = select(Message.id, Message.received_at, Message.state_at)
    query = query.where(within_state(context.plant, State.POSTED.value))
    rows = session.execute(query.order_by(*(column.desc() for column in STATE_ORDER)).limit(LATENCY_MESSAGES))
    since = context.now - LATENCY_WITHIN
    return [(row.id, row.state_at - row.received_at) for row in rows if row.state_at >= since]


def _under_way(session: Session, context: Context, level: timedelta) -> list[int]:
    found: list[int] = []
    for state in (*IN_PROGRESS, State.WAITING):
        query = select(Message.id, Message.received_at).where(within_state(context.plant, state.value))
        rows = session.execute(query.order_by(*STATE_ORDER).limit(LATENCY_MESSAGES))
        found += [row.id for row in rows if context.now - row.received_at > level]
    return found


RULE = Rule(
    word="service_level_broken",
    candidates=_candidates,
    judge=_judge,
    gone="Its messages are posted within the agreed time again.",
    index="ix_messages_plant_state",
)
