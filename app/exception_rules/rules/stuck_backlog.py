"""A plant whose messages stand still."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import local
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.inbox.figures import IN_PROGRESS
from app.store.by_state import STATE_ORDER, within_state
from app.store.messages_tables import Message
from app.store.target_tables import PlantPause

OLDEST_LOOKED_AT = 200


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    return Portion([(context.plant,)], None)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    """Of each state the oldest messages; what waits for something that it names is not stuck, and says so itself."""
    stuck: list[Message] = []
    for state in IN_PROGRESS if keys else ():
        query = select(Message).where(within_state(context.plant, state.value)).order_by(*STATE_ORDER)
        oldest = session.scalars(query.limit(OLDEST_LOOKED_AT))
        stuck += [one for one in oldest if context.now - one.state_at > context.threshold]
    if not stuck:
        return []
    first = min(stuck, key=lambda one: (one.state_at, one.id))
    pause = session.get(PlantPause, context.plant)
    why = f" {pause.actor} paused the plant: {pause.reason}" if pause is not None else ""
    why = why or (f" It says: {first.reason}" if first.reason else " Do its workers live, and does its target answer?")
    number = f"{len(stuck)} messages stand" if len(stuck) > 1 else "One message stands"
    at_least = "At least " if len(stuck) >= OLDEST_LOOKED_AT else ""
    cause = Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, (context.plant,)),
        subject=f"messages of {context.plant}",
        severity=context.settings.severity,
        message=(
            f"{at_least}{number} still for more than {context.settings.threshold:g} minutes; message {first.id} is "
            f"{first.state} since {local(context, first.state_at)}.{why}"
        ),
        plant=context.plant,
        object_type="plant",
        object_id=context.plant,
        messages=[one.id for one in sorted(stuck, key=lambda one: (one.state_at, one.id))],
    )
    return [((context.plant,), cause)]


RULE = Rule(
    word="stuck_backlog",
    candidates=_candidates,
    judge=_judge,
    gone="Its messages go on.",
    index="ix_messages_plant_state",
)
