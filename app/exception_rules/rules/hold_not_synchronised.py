"""A quality hold of which a target is to know and does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from app.business_exceptions.raising import Cause
from app.exception_rules.facts import local
from app.exception_rules.rule import Context, Key, Place, Portion, Rule
from app.postings.ledger import SUPERSEDED
from app.store.availability_tables import Hold
from app.store.documents import ENRICHED, load_documents
from app.store.messages_tables import Message
from app.store.postings_tables import HELD, UNTOLD_HOLDS, UNTOLD_STATES, Posting
from mappings.context import Event

OVER = ("discarded", "compensated")
"""Of such a message nobody is to know any more."""


def _candidates(session: Session, context: Context, after: Place | None, limit: int) -> Portion:
    query = select(Posting.id).where(Posting.plant == context.plant, text(f"({UNTOLD_HOLDS.text})"))
    ids = session.scalars(query.where(Posting.id > (after or (0,))[0]).order_by(Posting.id).limit(limit)).all()
    return Portion([(str(key),) for key in ids], (ids[-1],) if len(ids) >= limit else None)


def _judge(session: Session, context: Context, keys: Sequence[Key]) -> list[tuple[Key, Cause]]:
    query: Any = select(Posting, Message.received_at, Message.source).join(Message, Message.id == Posting.message_id)
    query = query.where(Posting.id.in_([int(key[0]) for key in keys]), Posting.kind == HELD)
    query = query.where(Posting.state.in_(UNTOLD_STATES), Message.state.not_in(OVER), Posting.reverses_id.is_(None))
    query = query.where(or_(Posting.reason_code.is_(None), Posting.reason_code != SUPERSEDED))
    rows = [row for row in session.execute(query) if context.now - row.received_at > context.threshold] if keys else []
    documents = load_documents(session, [posting.message_id for posting, _, _ in rows], ENRICHED) if rows else {}
    superseded = _superseded(session, [posting.message_id for posting, _, _ in rows])
    return [
        ((str(posting.id),), _cause(context, posting, at, source, _held(documents.get(posting.message_id, ()))))
        for posting, at, source in rows
        if posting.message_id not in superseded
    ]


def _superseded(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those whose hold was entered and is open no more: a release, or another hold, has taken its place."""
    query = select(Hold.message_id, Hold.is_open).where(Hold.message_id.in_(message_ids))
    rows = session.execute(query).all() if message_ids else []
    return {row.message_id for row in rows} - {row.message_id for row in rows if row.is_open}


def _held(document: Sequence[Any]) -> tuple[str, str]:
    """What the first hold among the message's events names: kind of object and id."""
    for stored in document:
        event = Event(stored["type"], stored["data"])
        for kind in ("lot", "item"):
            if event.type == HELD and event.data.get(kind):
                return kind, str(event.data[kind])
    return "message", ""


def _cause(context: Context, posting: Posting, at: Any, source: str, held: tuple[str, str]) -> Cause:
    kind, code = held if held[1] else ("message", str(posting.message_id))
    why = f" It answered: {posting.reason}" if posting.state == "refused" and posting.reason else ""
    key = (str(posting.id),)
    return Cause(
        rule=RULE.word,
        key=RULE.cause_of(context, key),
        subject=f"hold of {kind} {code}",
        severity=context.settings.severity,
        message=(
            f"{posting.target} does not know that {kind} {code} is on hold: message {posting.message_id} said so at "
            f"{local(context, at)}, and its posting is {posting.state}.{why} Block it there by hand until it does."
        ),
        source=source,
        plant=context.plant,
        object_type=kind,
        object_id=code,
        messages=[posting.message_id],
        detail={"target": posting.target},
    )


RULE = Rule(
    word="hold_not_synchronised",
    candidates=_candidates,
    judge=_judge,
    gone="The target knows of the hold, or it is held no more.",
    index="ix_postings_holds",
)
