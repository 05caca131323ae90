"""Which messages may leave: those that ended long enough ago by the rule of their domain and state, and of which
nothing is open any more."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.inbox.states import State
from app.postings.ledger import PostingState
from app.retention.domains import domains_of
from app.store.documents import CANONICAL, load_documents
from app.store.ledger_tables import Effect
from app.store.messages_tables import Message, Payload
from app.store.postings_tables import Posting

Rules = Mapping[str, Mapping[str, int]]
"""Domain -> state -> days. What has no rule is kept."""

STATES = (State.POSTED, State.DISCARDED, State.COMPENSATED)
"""What may leave at all: never what is dead or waits, or is under way."""
WINDOW = 5_000
"""Ids that are looked through at a time."""
CHUNK = 200


class Chosen(list[int]):
    """Ids in their order. ``through``: up to which id all were looked at; None at the end of all messages."""

    through: int | None = None
    domains: dict[int, str]


def choose(session: Session, rules: Rules, after_id: int, now: datetime, most: int, most_bytes: int) -> Chosen:
    """The next messages behind this id that may leave, at most so many and with so many bytes of payload."""
    chosen = Chosen()
    chosen.domains = {}
    newest = session.scalar(select(func.max(Message.id))) or 0
    upper = min(after_id + WINDOW, newest)
    chosen.through = None if upper >= newest else upper
    left = most_bytes
    candidates = _old_enough(session, rules, after_id, upper, now)
    for start in range(0, len(candidates), CHUNK):
        part = candidates[start : start + CHUNK]
        open_ones = still_open(session, [one.id for one in part])
        domains = _domains(session, [one.id for one in part])
        for one in part:
            if one.id in open_ones or not _may_leave(rules, domains[one.id], one.state, one.state_at, now):
                continue
            left -= one.size or 0
            if len(chosen) >= most or (left < 0 and chosen):
                chosen.through = chosen[-1]
                return chosen
            chosen.append(one.id)
            chosen.domains[one.id] = _named(rules, domains[one.id], one.state)
    return chosen


def _old_enough(session: Session, rules: Rules, after_id: int, upper: int, now: datetime) -> Sequence[Any]:
    """Of each state, by the shortest of its rules."""
    shortest = {
        state: min(days[state] for days in rules.values() if state in days)
        for state in STATES
        if any(state in days for days in rules.values())
    }
    by_state = [
        and_(Message.state == state, Message.state_at < now - timedelta(days=days)) for state, days in shortest.items()
    ]
    if not by_state:
        return []
    query = select(Message.id, Message.state, Message.state_at, func.length(Payload.body).label("size"))
    query = query.join(Payload, Payload.message_id == Message.id)
    ended = (Message.id > after_id) & (Message.id <= upper) & Message.archive_id.is_(None) & Message.step.is_(None)
    return session.execute(query.where(ended, or_(*by_state)).order_by(Message.id)).all()


def still_open(session: Session, ids: Collection[int]) -> set[int]:
    """Those of these of which an outcome is unknown, a posting is still to be made, or the picture lacks something."""
    ended = [PostingState.POSTED.value, PostingState.REFUSED.value, PostingState.COMPENSATED.value]
    unsettled = select(Posting.message_id).where(Posting.message_id.in_(ids), Posting.state.not_in(ended))
    pending = select(Effect.message_id).where(Effect.message_id.in_(ids))
    return {*session.scalars(unsettled.distinct()), *session.scalars(pending.distinct())}


def _domains(session: Session, ids: Sequence[int]) -> dict[int, set[str]]:
    documents = load_documents(session, ids, CANONICAL)
    return {key: domains_of(_types(documents.get(key))) for key in ids}


def _types(document: object) -> list[str]:
    entries = document if isinstance(document, list) else []
    return [str(one["type"]) for one in entries if isinstance(one, dict) and "type" in one]


def _may_leave(rules: Rules, domains: set[str], state: str, state_at: datetime, now: datetime) -> bool:
    """One of several domains is kept as long as any of them wants it."""
    days = [rules.get(domain, {}).get(state) for domain in domains]
    return all(one is not None and state_at < now - timedelta(days=one) for one in days)


def _named(rules: Rules, domains: set[str], state: str) -> str:
    """The domain that kept it longest."""
    return max(sorted(domains), key=lambda domain: rules[domain][state])
