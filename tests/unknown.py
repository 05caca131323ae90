"""A posting of which nobody knows whether the target holds it, and one that was refused behind a posted message."""

from __future__ import annotations

from app.inbox.states import Move, State, Step, move_messages
from app.postings.ledger import PostingResult, PostingState, load_open, record_intents, record_results
from app.postings.plan import PlannedPosting, save_plans
from app.store.session import Store
from tests.factories import NOON, accept, move_event

KEY = "LS" + "A" * 24
DOCUMENT = {"item": "WHEEL-10", "quantity": "2"}


def unknown_posting(store: Store) -> int:
    """A dead message whose worker ended while the ERP had its document; returns the posting's id."""
    (message_id,) = accept(store, move_event())
    plan = PlannedPosting("erp", "inventory.moved.v1", True, KEY, "1", DOCUMENT)
    with store.writing() as session:
        save_plans(session, "P100", {message_id: [plan]}, NOON)
        (opened,) = load_open(session, [message_id])[message_id]
        record_intents(session, [opened], "worker-1", NOON)
        result = PostingResult(opened, 1, PostingState.UNKNOWN, "unknown", "No answer within 5 s.")
        record_results(session, [result], NOON)
        move_messages(session, [Move(message_id, State.WAITING, Step.POST, NOON, lane=1)], NOON)
        dead = Move(message_id, State.DEAD, lane=1, reason_code="worker_lost", reason="A worker ended 4 times.")
        move_messages(session, [dead], NOON)
    return opened.id


def refused_posting(store: Store) -> int:
    """A posted message of which planning, which is not required, refused its part; returns the posting's id."""
    (message_id,) = accept(store, move_event())
    plan = PlannedPosting("planning", "inventory.moved.v1", False, KEY, "1", DOCUMENT)
    with store.writing() as session:
        save_plans(session, "P100", {message_id: [plan]}, NOON)
        (opened,) = load_open(session, [message_id])[message_id]
        record_intents(session, [opened], "worker-1", NOON)
        refused = PostingResult(opened, 1, PostingState.REFUSED, "refused", "No schedule.", reason_code="no_schedule")
        record_results(session, [refused], NOON)
        move_messages(session, [Move(message_id, State.WAITING, Step.POST, NOON, lane=1)], NOON)
        move_messages(session, [Move(message_id, State.POSTED)], NOON)
    return opened.id
