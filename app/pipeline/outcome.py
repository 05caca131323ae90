"""Turn what happened to one message into its next move: the one place that catches everything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import structlog

from app.errors import (
    LinesideError,
    OutcomeUnknown,
    PeriodClosed,
    Refused,
    Transient,
    Waiting,
    crosswalk_reference,
    wished_seconds,
)
from app.inbox.claim import Claimed, gap_reference_of, is_gap, key_reference_of, trailing_reference_of
from app.inbox.states import Move, State, Step
from app.inbox.suspects import LOST_WORKERS_LIMIT
from app.pipeline.context import Pipeline
from config.topology import Periods, RetryPolicy
from mappings.context import CrosswalkMissing, MappingError

log = structlog.get_logger()

T = TypeVar("T")

# A waiting message is looked at again now and then even if nothing wakes it: what it waits for may have arrived in
# the moment between its look and its wait.
RECHECK_FIRST_SECONDS = 2.0
RECHECK_CAP_SECONDS = 300.0
# Of whoever waits for a target: as if it had been looked at so often that RECHECK_CAP_SECONDS is the wait that follows.
LOOKS_FOR_TARGET = 8
# Whoever waits for its turn is woken for certain, and there may be very many of them.
RECHECK_TURN_SECONDS = 3_600.0


@dataclass(frozen=True)
class Done(Generic[T]):
    value: T


@dataclass(frozen=True)
class Failed:
    error: LinesideError


class InternalFault(Refused):
    """Lineside's own fault. Where it struck around a call, nobody knows what the call has done."""


def attempt(message_id: int, work: Callable[[], T], *passing: type[Exception]) -> Done[T] | Failed:
    """Do one message's work; whatever goes wrong with it stays with it. ``passing`` is no fault of it, and raised."""
    try:
        return Done(work())
    except passing:
        raise
    except LinesideError as error:
        return Failed(error)
    except CrosswalkMissing as error:
        return Failed(Waiting(crosswalk_reference(error.system, error.name, error.value), error.reason))
    except MappingError as error:
        return Failed(Refused(error.code, error.reason, error.field))
    except Exception as error:
        log.exception("message_failed_unexpectedly", message_id=message_id)
        return Failed(_fault(error))


def attempt_together(work: Callable[[], T], *passing: type[Exception]) -> Done[T] | Failed:
    """Do the work of several messages at once. Whatever goes wrong with it, each is then to be done by itself;
    ``passing`` says something else and is raised."""
    try:
        return Done(work())
    except passing:
        raise
    except Exception as error:  # noqa: BLE001 - told in full where it strikes the one message that is at fault
        log.warning("batch_failed", error=type(error).__name__)
        return Failed(_fault(error))


def _fault(error: Exception) -> InternalFault:
    failed = f"Lineside itself failed on this message ({type(error).__name__})"
    fault = InternalFault("internal_error", f"{failed}; the log has the details. Report it, then requeue or discard.")
    fault.__cause__ = error
    return fault


def refuse_if_it_costs_workers(message: Claimed) -> None:
    """Raise Refused for a message that was claimed again and again and never reported back."""
    if message.workers_lost >= LOST_WORKERS_LIMIT:
        raise worker_lost(message)


def worker_lost(message: Claimed) -> Refused:
    told = f"A worker ended {message.workers_lost} times while it held this message; see the log, then requeue it."
    return Refused("worker_lost", told)


def failure_move(
    pipeline: Pipeline,
    message: Claimed,
    step: Step,
    error: LinesideError,
    policy: RetryPolicy,
    call_seconds: float = 0.0,
) -> Move:
    """The move that follows from the error alone: due again, waiting for something, or dead with a reason."""
    following = next_try(pipeline, message, step, error, policy, call_seconds)
    if isinstance(following, Move):
        return following
    move = dead_move(message, following)
    return replace(move, waiting_for=error.for_what) if isinstance(error, Waiting) else move


def next_try(
    pipeline: Pipeline,
    message: Claimed,
    step: Step,
    error: LinesideError,
    policy: RetryPolicy,
    call_seconds: float = 0.0,
) -> Move | Refused:
    """When and why it is tried again; or, where that was done for long enough, why it is not.

    ``call_seconds``: how long a call may take. After an unknown outcome the target is asked no sooner than that: it
    may still be working on what it did not answer, and would say no and then do it after all.
    """
    if isinstance(error, Waiting):
        too_long = _waited_too_long(pipeline, message, error)
        return too_long or _wait_for(pipeline, message, step, error.for_what, error.reason)
    if isinstance(error, (Transient, OutcomeUnknown)):
        least = call_seconds if isinstance(error, OutcomeUnknown) else 0.0
        wait = max(least, wished_seconds(error))
        too_long = _retried_too_long(pipeline, message, error.reason, policy)
        return too_long or _due_again(pipeline, message, step, error.reason, policy, wait)
    if isinstance(error, Refused):
        return error
    raise error


def dead_move(message: Claimed, error: Refused) -> Move:
    """Dead with its reason; it keeps its lane, in which a requeue may have to go on."""
    log.warning("message_dies", plant=message.plant, message_id=message.id, reason_code=error.code)
    return Move(
        message.id,
        State.DEAD,
        lane=message.lane,
        attempts=message.attempts,
        workers_lost=message.workers_lost,
        retries=message.retries,
        retrying_since=message.retrying_since,
        waiting_since=message.waiting_since,
        reason_code=error.code,
        reason=error.reason,
        reason_field=error.field,
    )


def wait_for_key(pipeline: Pipeline, message: Claimed, predecessor: int, looks_soon: bool = False) -> Move:
    """Behind an unfinished message of the same key: due when that one ends. ``looks_soon``: others wait for what this
    one brings, and once they do it may go before them, of which nobody tells it."""
    reason = f"Waits for message {predecessor}, which comes before it for {message.ordering_key}."
    reference = key_reference_of(message.plant, message.ordering_key or "")
    cap = RECHECK_CAP_SECONDS if looks_soon else RECHECK_TURN_SECONDS
    return _wait_for(pipeline, message, Step.POST, reference, reason, gives_up=False, cap=cap)


def wait_for_turn(pipeline: Pipeline, message: Claimed, target: str, predecessor: int) -> Move:
    """Behind an earlier message of the key that trails towards the same target."""
    reason = f"Waits for message {predecessor}, which comes before it in {target} for {message.ordering_key}."
    reference = trailing_reference_of(message.plant, message.ordering_key or "")
    return _wait_for(pipeline, message, Step.POST, reference, reason, gives_up=False)


def wait_for_gap(pipeline: Pipeline, message: Claimed, reason: str, limit_seconds: float) -> Move:
    """Until the numbers before its own have come; whoever asks ends the wait when it has been so long."""
    reference = gap_reference_of(message.plant, message.ordering_key or "")
    return _wait_for(pipeline, message, Step.POST, reference, reason, limit_seconds=limit_seconds)


def wait_for_target(pipeline: Pipeline, message: Claimed, target: str, reason: str) -> Move:
    """Until a person resumes the target, or it answers again, however long that takes."""
    move = _wait_for(pipeline, message, Step.POST, target_reference(target), reason, gives_up=False)
    due_at = pipeline.clock() + timedelta(seconds=RECHECK_CAP_SECONDS)
    return replace(move, due_at=due_at, attempts=max(move.attempts, LOOKS_FOR_TARGET))


def wait_for_period(pipeline: Pipeline, message: Claimed, target: str, closed: PeriodClosed) -> Move:
    """Until the target takes the day, however long that takes; asked again every so often, since nobody tells it."""
    periods = pipeline.topology.targets[target].periods or Periods("hold")
    move = _wait_for(pipeline, message, Step.POST, closed.for_what, closed.reason, gives_up=False)
    return replace(move, workers_lost=0, due_at=pipeline.clock() + timedelta(seconds=periods.recheck_seconds))


def target_reference(target: str) -> str:
    return f"target:{target}"


def recheck_seconds(attempts: int, cap: float = RECHECK_TURN_SECONDS) -> float:
    """After how long a waiting message is looked at again, having been looked at so often."""
    return min(cap, RECHECK_FIRST_SECONDS * 2.0 ** min(attempts, 20))


def _wait_for(
    pipeline: Pipeline,
    message: Claimed,
    step: Step,
    for_what: str,
    reason: str,
    gives_up: bool = True,
    cap: float = RECHECK_CAP_SECONDS,
    limit_seconds: float | None = None,
) -> Move:
    """``gives_up``: whether the time it waits is counted. It is not where others have to move first; a message must not
    be at the end of its retries when at last it may begin."""
    now = pipeline.clock()
    since = _waits_since(message, for_what, now)
    limit = timedelta(seconds=limit_seconds) if limit_seconds else _wait_limit(pipeline, message)
    log.debug("message_waits", plant=message.plant, message_id=message.id, waiting_for=for_what)
    # What it waits for anew may have come in the moment before: it is looked at again soon.
    looks = 1 if message.retries or message.waiting_for != for_what else message.attempts
    recheck = recheck_seconds(looks, cap)
    # It gives up when it said it would, not at the first look after that.
    left = max(0.0, (since + limit - now).total_seconds()) if gives_up else recheck
    return Move(
        message.id,
        State.WAITING,
        step=step,
        due_at=now + timedelta(seconds=min(recheck, left)),
        lane=message.lane,
        attempts=looks,
        workers_lost=0 if gives_up else message.workers_lost,
        waiting_since=since if gives_up else None,
        waiting_for=for_what,
        reason_code="waiting",
        reason=reason,
    )


def _waited_too_long(pipeline: Pipeline, message: Claimed, error: Waiting) -> Refused | None:
    now, limit = pipeline.clock(), _wait_limit(pipeline, message)
    if now - _waits_since(message, error.for_what, now) < limit:
        return None
    hours = limit.total_seconds() / 3600
    return Refused("waited_too_long", f"{error.reason} Gave up after {hours:g} h; provide it, then requeue.")


def _waits_since(message: Claimed, for_what: str, now: datetime) -> datetime:
    goes_on_waiting = is_gap(message.waiting_for) == is_gap(for_what)
    return message.waiting_since if message.waiting_since and goes_on_waiting else now


def _wait_limit(pipeline: Pipeline, message: Claimed) -> timedelta:
    source = pipeline.topology.sources.get(message.source)
    return timedelta(seconds=source.wait_seconds if source else 86_400.0)


def _retried_too_long(pipeline: Pipeline, message: Claimed, reason: str, policy: RetryPolicy) -> Refused | None:
    now = pipeline.clock()
    if now - (message.retrying_since or now) < timedelta(seconds=policy.give_up_seconds):
        return None
    hours = policy.give_up_seconds / 3600
    return Refused("retries_exhausted", f"{reason} Gave up after {hours:g} h; mend it, then requeue.")


def _due_again(
    pipeline: Pipeline,
    message: Claimed,
    step: Step,
    reason: str,
    policy: RetryPolicy,
    after_seconds: float,
) -> Move:
    now = pipeline.clock()
    log.info(
        "message_is_retried", plant=message.plant, message_id=message.id, step=step.value, retries=message.retries + 1
    )
    delay = max(pipeline.retry_delay(policy, message.retries + 1), timedelta(seconds=after_seconds))
    return Move(
        message.id,
        State.WAITING,
        step=step,
        due_at=now + delay,
        lane=message.lane,
        attempts=message.attempts,
        retries=message.retries + 1,
        retrying_since=message.retrying_since or now,
        waiting_since=message.waiting_since,
        reason_code="retry",
        reason=reason,
    )
