"""Corrections that Lineside has under way for one system alone: they explain what is wrong there until they arrive."""

from __future__ import annotations

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.inbox.states import TERMINAL, State
from app.projections.movements import TYPE_OF
from app.reconcile.effects import Effect, read_legs
from app.reconcile.standing import Side, standing_of
from app.store.messages_tables import Message
from config.own_messages import only_for

CORRECTIONS_MOST = 5_000


def corrections_lacked(session: Session, side: Side) -> list[Effect]:
    """What such corrections will change there and have not changed by the time of the snapshot."""
    is_open = Message.state.in_([state.value for state in State if state not in TERMINAL])
    since = (Message.state == State.POSTED.value) & (Message.state_at > side.taken_at)
    query = select(Message.id, Message.plant).where(Message.source == only_for(side.system), or_(is_open, since))
    plants = {row.id: row.plant for row in session.execute(query.order_by(Message.id).limit(CORRECTIONS_MOST))}
    standing, states = standing_of(session, side, plants)
    effects: list[Effect] = []
    for key, at, leg in read_legs(session, plants, side.cut_off).legs:
        cause, is_certain = standing.cause(key, TYPE_OF[leg.kind], states[key], at)
        effects.append(Effect(key, leg.place, leg.quantity, cause, is_certain))
    return effects
