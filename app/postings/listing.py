"""Pages of postings in one state, such as those of which nobody knows whether the target holds them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from sqlalchemy import ColumnElement, func, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from app.postings.ledger import NO_EFFECT, PostingState
from app.store.messages_tables import Message
from app.store.postings_tables import Posting, PostingAttempt

PAGE_MOST = 200
COUNT_MOST = 1_000
# Targets that ever had a posting; SQLite joins at most 500 selects to one, and there are two for each.
TARGETS_MOST = 200


@dataclass(frozen=True)
class ListedPosting:
    """``since``: when the first call began that may have had its effect. ``undoes``: the target's reference for what a
    reversal reverses."""

    posting: Posting
    message: Message
    since: datetime
    undoes: str | None

    @property
    def state(self) -> PostingState:
        """``unknown`` as well where its worker ended with it, and the message died before the target was asked."""
        is_left = self.posting.state == PostingState.SENDING and self.message.state == "dead"
        return PostingState.UNKNOWN if is_left else PostingState(self.posting.state)


@dataclass(frozen=True)
class PostingPage:
    """Newest first. ``before`` continues the list; None at its end."""

    rows: list[ListedPosting]
    before: int | None


@dataclass(frozen=True)
class UnknownFigures:
    """How many outcomes are unknown, counted no further than COUNT_MOST, and how many of these belong to dead letters,
    of which nobody asks the target any more by itself."""

    total: int
    dead: int


def list_postings(
    session: Session, state: PostingState, target: str | None = None, limit: int = 50, before: int | None = None
) -> PostingPage:
    """A page of the postings in this state, below the id ``before``; found by index for one target after another."""
    limit = max(1, min(limit, PAGE_MOST))
    tops = []
    for code, is_in in product([target] if target else _targets(session), _are_in(state)):
        chosen = select(Posting.id).where(Posting.target == code, is_in)
        chosen = chosen if before is None else chosen.where(Posting.id < before)
        tops.append(chosen.order_by(Posting.id.desc()).limit(limit + 1).subquery())
    if not tops:
        return PostingPage([], None)
    merged = union_all(*(select(top.c.id) for top in tops)).subquery()
    ids = list(session.scalars(select(merged.c.id).order_by(merged.c.id.desc()).limit(limit + 1)))
    rows = _listed(session, ids[:limit])
    return PostingPage(rows, ids[limit - 1] if len(ids) > limit else None)


def _are_in(state: PostingState) -> list[ColumnElement[bool]]:
    """What finds the postings in this state, each found by index. What was under way when its message died is unknown,
    whatever its row says: nobody asks for it by itself."""
    message = aliased(Message)
    is_dead = select(message.id).where(message.id == Posting.message_id, message.state == "dead").exists()
    plain, sending = Posting.state == state.value, Posting.state == PostingState.SENDING.value
    if state is PostingState.UNKNOWN:
        return [plain, sending & is_dead]
    return [sending & ~is_dead] if state is PostingState.SENDING else [plain]


def unknown_figures(session: Session) -> UnknownFigures:
    counted: Counter[bool] = Counter()
    for code, is_in in product(_targets(session), _are_in(PostingState.UNKNOWN)):
        query = select(Message.state).join(Posting, Posting.message_id == Message.id)
        query = query.where(Posting.target == code, is_in)
        states = session.scalars(query.limit(COUNT_MOST - counted.total()))
        counted.update(state == "dead" for state in states)
        if counted.total() >= COUNT_MOST:
            break
    return UnknownFigures(counted.total(), counted[True])


def _targets(session: Session) -> list[str]:
    """Every target that has a posting, be it one that the topology lost: from each a leap in the index to the next."""
    codes = select(func.min(Posting.target).label("code")).cte("codes", recursive=True)
    following = select(func.min(Posting.target)).where(Posting.target > codes.c.code).scalar_subquery()
    codes = codes.union_all(select(following).where(codes.c.code.is_not(None)))
    found = select(codes.c.code).where(codes.c.code.is_not(None)).limit(TARGETS_MOST)
    return [code for code in session.scalars(found) if code is not None]


def _listed(session: Session, ids: Sequence[int]) -> list[ListedPosting]:
    original = aliased(Posting)
    query = (
        select(Posting, Message, original.reference)
        .join(Message, Message.id == Posting.message_id)
        .outerjoin(original, original.id == Posting.reverses_id)
        .where(Posting.id.in_(ids))
        .order_by(Posting.id.desc())
    )
    since = _since(session, ids)
    return [
        ListedPosting(posting, message, since.get(posting.id, posting.updated_at), undoes)
        for posting, message, undoes in session.execute(query)
    ]


def _since(session: Session, ids: Sequence[int]) -> dict[int, datetime]:
    outcome = PostingAttempt.outcome
    first = select(PostingAttempt.posting_id, func.min(PostingAttempt.started_at))
    first = first.where(PostingAttempt.posting_id.in_(ids), or_(outcome.is_(None), outcome.not_in(NO_EFFECT)))
    return {row[0]: row[1] for row in session.execute(first.group_by(PostingAttempt.posting_id))}
