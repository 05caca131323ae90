"""Read and write postings and their attempts, many at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import bindparam, case, func, insert, or_, select, update
from sqlalchemy.orm import Session

from app.store.base import table_of
from app.store.postings_tables import Posting, PostingAttempt
from app.store.prepared import Prepared

Alike = TypeVar("Alike", bound=Hashable)


class PostingState(StrEnum):
    PLANNED = "planned"
    SENDING = "sending"
    POSTED = "posted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    COMPENSATING = "compensating"
    COMPENSATED = "compensated"


TO_DO = frozenset({PostingState.PLANNED, PostingState.SENDING, PostingState.UNKNOWN})
"""Still to be brought to an end by the post step. ``sending`` and ``unknown`` are asked for before they are sent."""

SAID_POSTED, SAID_NOT_POSTED = "said_posted", "said_not_posted"
"""How an attempt ended that is no call, but a person's word on an unknown outcome."""

NO_EFFECT = (SAID_NOT_POSTED, "transient", "waiting", "period_closed", "refused", "paused", "not_started", "absent")
"""How an attempt ended that certainly had no effect. After any other the target may hold the document, and after one
that never ended."""

WITHDRAWN = "withdrawn"
"""Why a posting is ``refused`` by Lineside itself: its message was reversed before it was sent."""

SUPERSEDED = "superseded"
"""Why a posting is ``refused`` by Lineside itself: the message was corrected, its mapping or route changed, or a newer
state had taken effect before it."""


@dataclass(frozen=True)
class Reversed:
    """The posting that a reversal undoes, and the target's reference for it."""

    id: int
    reference: str


@dataclass(frozen=True)
class OpenPosting:
    """A posting as the post step needs it. ``is_redated``: its document got another posting date than the ledger has
    yet. ``asks_only``: it is to be known whether the target holds it, and it is not
    sent either way, since its message is being reversed. ``again``: a person said last that the target does not hold
    it, though it was handed over before. ``retry_at`` and what follows are of one that trails, and is tried for
    itself."""

    id: int
    message_id: int
    plant: str
    target: str
    kind: str
    required: bool
    state: PostingState
    posting_key: str
    document: Mapping[str, Any]
    attempts: int
    reverses: Reversed | None = None
    asks_only: bool = False
    is_redated: bool = False
    again: bool = False
    retry_at: datetime | None = None
    retries: int = 0
    retrying_since: datetime | None = None
    waiting_since: datetime | None = None
    reason_code: str | None = None
    reason: str | None = None

    @property
    def is_left_to_people(self) -> bool:
        """Whether nobody asks for it any more before a person says so: asking ended workers, or failed of itself."""
        return self.state is PostingState.UNKNOWN and self.reason_code is not None

    @property
    def may_be_held(self) -> bool:
        """Whether a call was begun for it and nobody knows what that did. A reversal is asked for in its own turn."""
        return self.reverses is None and self.state is not PostingState.PLANNED


@dataclass(frozen=True)
class PostingResult:
    """How an attempt ended; recorded on the posting and on the attempt."""

    posting: OpenPosting
    attempt: int
    state: PostingState
    outcome: str
    detail: str | None = None
    reference: str | None = None
    answer: Mapping[str, Any] | None = None
    reason_code: str | None = None


_OPEN_FIELDS = (
    *("id", "message_id", "plant", "target", "kind", "required", "state", "posting_key", "document", "attempts"),
    *("retry_at", "retries", "retrying_since", "waiting_since", "reason_code", "reason"),
)


def _open() -> Any:
    postings = table_of(Posting)
    one, original = postings.c, postings.alias("original").c
    return (
        select(*(one[name] for name in _OPEN_FIELDS), one.reverses_id, original.reference.label("reversed_reference"))
        .join_from(postings, original.reference.table, original.id == one.reverses_id, isouter=True)
        .where(one.message_id.in_(bindparam("ids", expanding=True)), one.state.in_([state.value for state in TO_DO]))
        .order_by(one.message_id, one.ordinal)
    )


_OPEN = Prepared(_open())


def load_open(session: Session, message_ids: Sequence[int]) -> dict[int, list[OpenPosting]]:
    """The postings of each message that are not at their end, in the order they are to be made, with its reversals."""
    found: dict[int, list[OpenPosting]] = {}
    rows = _OPEN.rows(session, ids=list(message_ids))
    tried = [row.id for row in rows if row.state == PostingState.PLANNED and row.attempts]
    again = _said_not_posted(session, tried) if tried else set()
    for row in rows:
        *values, reverses_id, reference = row
        reverses = None if reverses_id is None else Reversed(reverses_id, reference or "")
        told = dict(zip(_OPEN_FIELDS, values, strict=True), state=PostingState(row.state))
        found.setdefault(row.message_id, []).append(OpenPosting(**told, reverses=reverses, again=row.id in again))
    return found


def _said_not_posted(session: Session, posting_ids: Sequence[int]) -> set[int]:
    """Those of which a person said so after the last call that may have had its effect."""
    number, outcome = PostingAttempt.number, PostingAttempt.outcome
    may_hold = or_(outcome.is_(None), outcome.not_in(NO_EFFECT))
    said = func.max(case((outcome == SAID_NOT_POSTED, number)))
    query = (
        select(PostingAttempt.posting_id)
        .where(PostingAttempt.posting_id.in_(posting_ids))
        .group_by(PostingAttempt.posting_id)
        .having(said > func.coalesce(func.max(case((may_hold, number))), 0))
    )
    return set(session.execute(query).scalars())


_POSTING = table_of(Posting).c
_INTENT = Prepared(
    update(table_of(Posting))
    .where(_POSTING.id.in_(bindparam("b_ids", expanding=True)))
    .values(state=PostingState.SENDING.value, attempts=bindparam("b_attempts"), updated_at=bindparam("b_at"))
)
_REDATED = Prepared(
    update(table_of(Posting)).where(_POSTING.id == bindparam("b_id")).values(document=bindparam("b_document"))
)
_RESULT = Prepared(
    update(table_of(Posting))
    .where(_POSTING.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        reference=bindparam("b_reference"),
        answer=bindparam("b_answer"),
        reason_code=bindparam("b_reason_code"),
        reason=bindparam("b_reason"),
        updated_at=bindparam("b_at"),
    )
)
_SUPERSEDED = (
    update(Posting)
    .where(Posting.id == bindparam("b_id"), Posting.state == PostingState.PLANNED.value)
    .values(
        state=PostingState.REFUSED.value,
        reason_code=SUPERSEDED,
        reason=bindparam("b_reason"),
        updated_at=bindparam("b_at"),
    )
)
_ATTEMPT = table_of(PostingAttempt).c
_ATTEMPT_BEGIN = Prepared(insert(table_of(PostingAttempt)))
_ATTEMPT_END = Prepared(
    update(table_of(PostingAttempt))
    .where(_ATTEMPT.posting_id.in_(bindparam("b_ids", expanding=True)))
    .where(_ATTEMPT.number == bindparam("b_number"))
    .values(ended_at=bindparam("b_at"), outcome=bindparam("b_outcome"), detail=bindparam("b_detail"))
)


def record_intents(session: Session, postings: Sequence[OpenPosting], worker: str, now: datetime) -> None:
    """Say, before any call is made, that these are about to be sent; the caller commits before it calls."""
    if not postings:
        return
    for number, ids in _alike((posting.attempts + 1, posting.id) for posting in postings):
        _INTENT.run(session, b_ids=ids, b_attempts=number, b_at=now)
    redated = [{"b_id": p.id, "b_document": dict(p.document)} for p in postings if p.is_redated]
    _REDATED.run_each(session, redated)
    _ATTEMPT_BEGIN.run_each(
        session,
        [
            {"posting_id": posting.id, "number": posting.attempts + 1, "started_at": now, "worker": worker}
            for posting in postings
        ],
    )


def record_results(session: Session, results: Sequence[PostingResult], now: datetime) -> None:
    """Write how the attempts ended."""
    if not results:
        return
    _RESULT.run_each(
        session,
        [
            {
                "b_id": result.posting.id,
                "b_state": result.state.value,
                "b_reference": result.reference,
                "b_answer": result.answer,
                "b_reason_code": result.reason_code,
                "b_reason": result.detail,
                "b_at": now,
            }
            for result in results
        ],
    )
    ends = ((result.attempt, result.outcome, result.detail) for result in results)
    for (number, outcome, detail), ids in _alike(zip(ends, (result.posting.id for result in results), strict=True)):
        told = {"b_number": number, "b_at": now, "b_outcome": outcome, "b_detail": detail}
        _ATTEMPT_END.run(session, b_ids=ids, **told)


def _alike(pairs: Iterable[tuple[Alike, int]]) -> Iterable[tuple[Alike, list[int]]]:
    """The ids of those that change in the same way: one statement for them costs less than one for each."""
    found: dict[Alike, list[int]] = {}
    for how, key in pairs:
        found.setdefault(how, []).append(key)
    return found.items()


def reopen_refused(session: Session, message_ids: Sequence[int], now: datetime) -> None:
    """A person requeues these messages: what the targets refused is to be tried again under the same key."""
    session.execute(
        update(Posting)
        .where(
            Posting.message_id.in_(message_ids),
            Posting.state == PostingState.REFUSED.value,
            func.coalesce(Posting.reason_code, "").not_in([SUPERSEDED, WITHDRAWN]),
            Posting.reverses_id.is_(None),
        )
        .values(state=PostingState.PLANNED.value, reason_code=None, reason=None, updated_at=now)
        .execution_options(synchronize_session=False)
    )


def supersede(session: Session, reasons: Mapping[int, str], now: datetime) -> None:
    """These planned postings, none of which a target holds, are not made: what they would tell has been overtaken."""
    changes = [{"b_id": key, "b_reason": f"Not sent: {told}.", "b_at": now} for key, told in reasons.items()]
    session.connection().execute(_SUPERSEDED, changes)


def messages_with_effects(session: Session, message_ids: Sequence[int]) -> set[int]:
    """Those of these messages of which a target holds something, or may hold something, that is not reversed."""
    without = [PostingState.PLANNED.value, PostingState.REFUSED.value, PostingState.COMPENSATED.value]
    query = select(Posting.message_id).where(
        Posting.message_id.in_(message_ids), Posting.state.not_in(without), Posting.reverses_id.is_(None)
    )
    return set(session.execute(query.distinct()).scalars())
