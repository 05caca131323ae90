"""What a target holds, or may hold, is never sent again and never replaced, whatever our own side of the call did."""

from __future__ import annotations

from dataclasses import replace

from app.adapters.base import PostingRequest, TargetAnswer
from app.dead_letters.repair import requeue
from app.errors import OutcomeUnknown, Refused
from app.pipeline.context import Pipeline
from app.store.session import Store
from mappings.registry import OUTBOUND, OutboundMapping
from tests.factories import NOON, accept, know_items, move_event, pipeline, run_once
from tests.fakes import Books, Clock
from tests.reading import message, posting_states, states


class UnreadableAnswers(Books):
    """Its documents take effect, and then our reading of the answer fails, as a fault in an adapter would."""

    def post(self, request: PostingRequest) -> TargetAnswer:
        super().post(request)
        raise KeyError("id")


class UnreadableQuestions(Books):
    """Its answer to a question cannot be read."""

    broken = True

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        found = super().find(request)
        if self.broken:
            raise KeyError("id")
        return found


class Suspended(Books):
    """While it is asked, the process that asks is suspended (SIGSTOP, a moved virtual machine) for ten minutes."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock
        self.suspends = True

    def find(self, request: PostingRequest) -> TargetAnswer | None:
        found = super().find(request)
        if self.suspends:
            self.suspends = False
            self.clock.pass_time(600)
        return found


def _requeue(line: Pipeline, *ids: int) -> None:
    with line.store.writing() as session:
        requeue(session, ids, "ada", line.clock())


def test_a_fault_in_our_reading_of_the_answer_leaves_one_effect_after_a_requeue(store: Store) -> None:
    books, clock = UnreadableAnswers(), Clock(NOON)
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    first = (states(store, moved), message(store, moved).reason_code, posting_states(store, moved))

    _requeue(line, moved)
    run_once(line)

    assert first == (["dead"], "internal_error", ["unknown"])
    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1


def test_a_fault_in_our_question_leaves_the_posting_unknown(store: Store) -> None:
    books, clock = UnreadableQuestions(), Clock(NOON)
    books.after = [OutcomeUnknown("no answer")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    clock.pass_time(120)
    run_once(line)
    dead = (states(store, moved), posting_states(store, moved))

    books.broken = False
    _requeue(line, moved)
    run_once(line)

    assert dead == (["dead"], ["unknown"])
    assert states(store, moved) == ["posted"]
    assert len(books.effects) == 1


def test_a_target_that_left_the_topology_and_came_back_is_asked_before_it_is_sent_to(store: Store) -> None:
    books, clock = Books(), Clock(NOON)
    books.after = [OutcomeUnknown("no answer")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    clock.pass_time(120)
    run_once(replace(line, topology=replace(line.topology, targets={})))
    dead = (states(store, moved), posting_states(store, moved))

    _requeue(line, moved)
    run_once(line)

    assert dead == (["dead"], ["unknown"])
    assert len(books.effects) == 1


def test_a_worker_that_was_suspended_while_it_asked_sends_nothing_afterwards(store: Store) -> None:
    clock = Clock(NOON)
    books = Suspended(clock)
    books.before = [OutcomeUnknown("connection lost")]
    know_items(store)
    accept(store, move_event())
    line = pipeline(store, {"erp": books}, clock)
    run_once(line)
    clock.pass_time(120)
    run_once(line)

    sent_late, asked = len(books.effects), len(books.asked)
    clock.pass_time(120)
    run_once(line)

    assert (sent_late, asked) == (1, 2)
    assert len(books.effects) == 1


def test_after_an_unknown_outcome_the_target_has_its_time_before_it_is_asked(store: Store) -> None:
    """A target that let us time out may still be working: asked at once it would say no, and then do it after all."""
    books, clock = Books(), Clock(NOON)
    books.before = [OutcomeUnknown("no answer within 5 s")]
    know_items(store)
    accept(store, move_event())
    line = replace(pipeline(store, {"erp": books}, clock), jitter=lambda low, high: low)
    run_once(line)

    clock.pass_time(4.9)
    run_once(line)
    early = len(books.asked)
    clock.pass_time(0.2)
    run_once(line)

    assert (early, len(books.asked)) == (0, 1)


def test_a_posting_that_today_s_mapping_no_longer_makes_is_not_sent(store: Store, monkeypatch: object) -> None:
    erp, wms, clock = Books(), Books(), Clock(NOON)
    wms.before = [Refused("bin_unknown", "No such bin.")]
    know_items(store)
    (moved,) = accept(store, move_event())
    line = pipeline(store, {"wms": wms, "erp": erp}, clock)
    run_once(line)

    targets = {code: replace(target, mapping=f"echo-{code}") for code, target in line.topology.targets.items()}
    OUTBOUND["echo-wms", "inventory.moved.v1"] = OutboundMapping(lambda event, context: None)
    OUTBOUND["echo-erp", "inventory.moved.v1"] = OUTBOUND["echo", "inventory.moved.v1"]
    _requeue(line, moved)
    run_once(replace(line, topology=replace(line.topology, targets=targets)))

    assert states(store, moved) == ["posted"]
    assert (len(wms.effects), len(erp.effects)) == (0, 1)
