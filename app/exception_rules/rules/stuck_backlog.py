"""A plant whose messages stand still."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import local
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.inbox.figures import IN_PROGRESS
from app.inbox.states import State
from app.store.by_state import STATE_ORDER, within_state
from app.store.messages_tables import Message
from app.store.target_tables import PlantPause

OLDEST_LOOKED_AT = 200
TARGET = "target:"
"""How the name of what a message waits for begins where that is a target."""


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    return Portion([(context.plant,)], None)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    """Of each state the oldest messages. What waits for a target is stuck; what waits for something else that it names
    is not, and says so itself."""
    stuck: list[Message] = []
    for state in (*IN_PROGRESS, State.WAITING) if keys else ():
        query = select(Message).where(within_state(context.plant, state.value)).order_by(*STATE_ORDER)
        oldest = session.scalars(query.limit(OLDEST_LOOKED_AT))
        stuck += [
            one for one in oldest if not _waits_for_another(one) and context.now - _since(one) > context.threshold
        ]
    if not stuck:
        return []
    stuck.sort(key=lambda one: (_since(one), one.id))
    first = stuck[0]
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
            f"{at_least}{number} still for more than {context.settings.threshold:g} minutes, the first of them message "
            f"{first.id}, since {local(context, _since(first))}.{why}"
        ),
        plant=context.plant,
        object_type="plant",
        object_id=context.plant,
        messages=[one.id for one in stuck],
    )
    return [((context.plant,), cause)]


def _since(message: Message) -> datetime:
    """Since it went no further; a try that fails is no way forward."""
    return message.retrying_since or message.state_at


def _waits_for_another(message: Message) -> bool:
    waits_for = message.waiting_for
    return message.state == State.WAITING and waits_for is not None and not waits_for.startswith(TARGET)


RULE = Rule(
    word="stuck_backlog",
    candidates=_candidates,
    judge=_judge,
    gone="Its messages go on.",
    index="ix_messages_plant_state",
)
