"""A person's word on an unknown outcome, from a form, a body or a command line: checked, written, and acted upon."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from sqlalchemy.orm import Session

from app.dead_letters.decide import Decided, Decision, NoSuchPosting, NotDecidable, Outcome, decide
from app.dead_letters.posting_requeue import requeue_posting
from app.postings.ledger import PostingState
from app.web.parameters import ID_MOST
from app.web.problems import FieldError, Problem
from app.web.services import Services

REASON_LEAST, REASON_MOST = 3, 1_000
REFERENCE_MOST = 200
OUTCOMES = get_args(Outcome)


def decision_of(outcome: str, reason: str, reference: str | None, stays_dead: bool) -> Decision:
    """The decision that these mean; Problem with every fault otherwise."""
    reason, reference = reason.strip(), (reference or "").strip() or None
    chosen: Outcome = "posted" if outcome == "posted" else "not_posted"
    faults = []
    if outcome not in OUTCOMES:
        faults.append(FieldError(f"must be {' or '.join(OUTCOMES)}", pointer="/outcome"))
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        faults.append(FieldError(f"must have {REASON_LEAST} to {REASON_MOST:,} characters", pointer="/reason"))
    if reference is not None and (len(reference) > REFERENCE_MOST or not reference.isprintable()):
        faults.append(
            FieldError(f"must have at most {REFERENCE_MOST} printable characters on one line", pointer="/reference")
        )
    if reference is not None and outcome == "not_posted":
        faults.append(FieldError("is the name of what was posted; leave it out", pointer="/reference"))
    if faults:
        told = "; ".join(f"{(fault.pointer or '/')[1:]} {fault.reason}" for fault in faults)
        raise Problem(422, "refused", f"This decides nothing: {told}.", faults)
    return Decision(chosen, reason, reference, stays_dead)


def state_of_query(text: str) -> PostingState:
    """The state that a list is asked for; unknown outcomes unless told."""
    try:
        return PostingState(text or PostingState.UNKNOWN)
    except ValueError:
        reason = f"knows only {', '.join(sorted(PostingState))}"
        fault = FieldError(reason, place="query state")
        raise Problem(422, "refused", f"Query parameter state {reason}.", [fault]) from None


def decide_posting(here: Services, posting_id: int, decision: Decision, actor: str) -> Decided:
    """Commit it, then have somebody go on with the message; Problem with the posting's present state where there is
    nothing to decide."""
    return _act(here, posting_id, lambda session: decide(session, posting_id, decision, actor, here.clock()))


def reason_of(reason: str) -> str:
    """Why a person acts; Problem where that says nothing."""
    reason = reason.strip()
    if not REASON_LEAST <= len(reason) <= REASON_MOST:
        fault = FieldError(f"must have {REASON_LEAST} to {REASON_MOST:,} characters", pointer="/reason")
        raise Problem(422, "refused", f"Say why: reason {fault.reason}.", [fault])
    return reason


def make_posting_again(here: Services, posting_id: int, reason: str, actor: str) -> Decided:
    """The same for a posting that is not required and is to be made again."""
    lanes_of = here.topology.lanes_of
    return _act(
        here, posting_id, lambda session: requeue_posting(session, posting_id, reason, actor, here.clock(), lanes_of)
    )


def _act(here: Services, posting_id: int, act: Callable[[Session], Decided]) -> Decided:
    try:
        if not 0 < posting_id <= ID_MOST:
            raise NoSuchPosting(f"There is no posting {posting_id}.")
        with here.store.writing() as session:
            decided = act(session)
    except NoSuchPosting as error:
        raise Problem(404, "not_found", str(error)) from None
    except NotDecidable as error:
        raise Problem(409, "not_possible", str(error), more={"posting_state": error.state}) from None
    here.nudges.nudge(decided.plant, 1)
    return decided
