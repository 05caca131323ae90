"""Make the calls of one wave to the targets, side by side and each bounded."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from app.adapters.base import Adapter, PostingRequest, TargetAnswer
from app.errors import LinesideError, NotTaken, OutcomeUnknown, PeriodClosed, Refused, TargetPaused, Transient, Waiting
from app.pipeline.context import Pipeline
from app.pipeline.outcome import Failed, InternalFault, attempt
from app.postings.ledger import OpenPosting, PostingResult, PostingState, Reversed
from app.telemetry import metrics
from config.topology import Target

WAVE_THREADS = 16
CALLERS_MOST = 512 * (WAVE_THREADS - 1)
"""One thread less than its calls for each of the lanes, of which a worker may have as many as post threads."""
# A wave's calls begin within this time; the lease then lasts until the last of them has surely ended.
WAVE_SECONDS = 5.0
LEASE_MARGIN_SECONDS = 5.0
NOT_STARTED = "not_started"
ABSENT = "absent"

Ended = tuple[PostingResult, LinesideError | None]


@dataclass(frozen=True)
class StartBy:
    """Until when calls may begin. By two clocks: the one may be set back, the other stands still in a suspended
    machine."""

    clock: Callable[[], datetime]
    at: datetime
    monotonic_at: float

    def seconds_left(self, more: float = 0.0) -> float:
        """Until ``more`` seconds after it; negative when that is past."""
        by_the_wall = (self.at - self.clock()).total_seconds()
        return min(by_the_wall, self.monotonic_at - time.monotonic()) + more


# Threads that make calls; they stay, as starting one for each call cost a tenth of posting. It is as many as all lanes
# that are worked on can need, so that no wave waits for another's hung target.
_CALLERS = ThreadPoolExecutor(max_workers=CALLERS_MOST, thread_name_prefix="post")


def post_wave(
    pipeline: Pipeline, wave: Sequence[OpenPosting], calls: Mapping[str, int], start_by: StartBy
) -> list[Ended]:
    """Bring each posting of the wave as far as its target lets it; no database transaction is open meanwhile.

    ``calls``: how many calls each target gets side by side. No target waits for another's. A call that has not begun by
    ``start_by`` is not made at all, since it might end after the lane's lease: its posting comes back as it was, with
    the outcome ``not_started``.
    """
    waiting = {target: deque(posting for posting in wave if posting.target == target) for target in calls}
    first, *others = [waiting[target] for target, count in calls.items() for _ in range(count)]
    beside = [_CALLERS.submit(_post_in_turn, pipeline, line, start_by) for line in others]
    try:
        ended = _post_in_turn(pipeline, first, start_by)
    finally:
        wait(beside)  # whatever happens here, nothing may be under way once the lane is let go
    return [*ended, *(one for future in beside for one in future.result())]


def _post_in_turn(pipeline: Pipeline, waiting: deque[OpenPosting], start_by: StartBy) -> list[Ended]:
    """Post what waits for this target until nothing is left, beside others that do the same."""
    ended: list[Ended] = []
    while True:
        try:
            posting = waiting.popleft()
        except IndexError:
            return ended
        ended.append(_post_one(pipeline, posting, start_by))


def longest_call_seconds(pipeline: Pipeline, wave: Sequence[OpenPosting]) -> float:
    """How long after its start one posting of this wave may still be under way: a question and a post."""
    return _two_calls_seconds(pipeline, {posting.target for posting in wave} & pipeline.topology.targets.keys())


def longest_lane_seconds(pipeline: Pipeline) -> float:
    """How far ahead the lease of a lane may end, whatever is posted in it."""
    wave = WAVE_SECONDS + _two_calls_seconds(pipeline, pipeline.topology.targets) + LEASE_MARGIN_SECONDS
    return max(pipeline.lease_seconds, wave)


def _two_calls_seconds(pipeline: Pipeline, targets: Iterable[str]) -> float:
    return max((2 * pipeline.topology.targets[code].timeout_seconds for code in targets), default=0.0)


def _post_one(pipeline: Pipeline, posting: OpenPosting, start_by: StartBy) -> Ended:
    began = time.monotonic()
    result, error = _result(pipeline, posting, start_by)
    seconds = time.monotonic() - began
    metrics.observe_call(posting.target, result.outcome, seconds)
    if result.outcome != NOT_STARTED:
        pipeline.pace.note(posting.target, seconds if error is None else math.inf)
    return result, error


def _result(pipeline: Pipeline, posting: OpenPosting, start_by: StartBy) -> Ended:
    number = posting.attempts + 1
    target = pipeline.topology.targets.get(posting.target)
    if target is None:
        told = f"The topology no longer knows target {posting.target}; add it, then requeue."
        return _not_called(posting, Refused("not_in_topology", told))
    outcome = attempt(posting.message_id, lambda: _ask_then_post(pipeline, target, posting, start_by))
    if isinstance(outcome, Failed):
        error = outcome.error
        if isinstance(error, PeriodClosed) and target.periods is None:
            error = Refused("period_closed", f"{error.reason} The topology says no policy for it (`periods`).")
        if isinstance(error, NotTaken) and posting.asks_only:
            return _failed(posting, error), None  # known now, which was all that was asked
        return _failed(posting, error), error
    answer, how = outcome.value
    if answer is None:
        state = PostingState.PLANNED if how == ABSENT else posting.state
        return PostingResult(posting, number, state, how), None
    return PostingResult(posting, number, PostingState.POSTED, how, None, answer.reference, answer.body), None


def _ask_then_post(
    pipeline: Pipeline, target: Target, posting: OpenPosting, start_by: StartBy
) -> tuple[TargetAnswer | None, str]:
    """The target's answer and how it came about; no answer where no call was made, or nothing is there."""
    adapter = pipeline.adapter_for(target.code)
    request = PostingRequest(posting.posting_key, posting.kind, posting.plant, posting.document, posting.again)
    if start_by.seconds_left() < 0:
        return None, NOT_STARTED
    if posting.state is not PostingState.PLANNED:
        found = _find(adapter, request)
        if found is not None:
            return found, "found"
        if posting.asks_only:
            return None, ABSENT
        if start_by.seconds_left(target.timeout_seconds) < 0:
            return None, NOT_STARTED  # suspended while it asked: by now another may have sent it
    if posting.reverses is not None:
        _refuse_unnamed(posting, posting.reverses)
        return adapter.reverse(request, posting.reverses.reference), "reversed"
    return adapter.post(request), "posted"


def _refuse_unnamed(posting: OpenPosting, original: Reversed) -> None:
    """A person who said that it was posted may not have known the target's name for it."""
    if not original.reference:
        told = f"Nobody named the document of {posting.target} that it undoes; reverse it there by hand, and say so."
        raise Refused("reference_unknown", told)


def _find(adapter: Adapter, request: PostingRequest) -> TargetAnswer | None:
    """Ask first. A target that cannot tell leaves the posting as unknown as it was, never free to be sent again."""
    try:
        return adapter.find(request)
    except NotTaken:
        raise  # the answer is no, and the reason comes with it
    except (Transient, Waiting, Refused) as error:
        told = f"Could not ask whether it was posted before: {error}"
        if isinstance(error, Transient):
            raise OutcomeUnknown(told, error.after_seconds, alone=error.alone) from error
        raise OutcomeUnknown(told, alone=True) from error


# The first kind that fits counts, so a special kind stands before the one that it is a case of.
_FAILED: dict[type[LinesideError], tuple[PostingState, str]] = {
    InternalFault: (PostingState.UNKNOWN, "internal_fault"),
    Transient: (PostingState.PLANNED, "transient"),
    PeriodClosed: (PostingState.PLANNED, "period_closed"),
    Waiting: (PostingState.PLANNED, "waiting"),
    Refused: (PostingState.REFUSED, "refused"),
    OutcomeUnknown: (PostingState.UNKNOWN, "unknown"),
    TargetPaused: (PostingState.PLANNED, "paused"),
}


def _failed(posting: OpenPosting, error: LinesideError) -> PostingResult:
    state, outcome = next(ended for kind, ended in _FAILED.items() if isinstance(error, kind))
    if isinstance(error, TargetPaused) and posting.state is not PostingState.PLANNED:
        state = PostingState.UNKNOWN  # the question itself was turned away: we know no more than before
    return _ended(posting, error, state, outcome)


def _not_called(posting: OpenPosting, error: Refused) -> tuple[PostingResult, LinesideError]:
    """Refused on our side; what an earlier call may have done stays as unknown as it was."""
    state = PostingState.REFUSED if posting.state is PostingState.PLANNED else PostingState.UNKNOWN
    return _ended(posting, error, state, "refused"), error


def _ended(posting: OpenPosting, error: LinesideError, state: PostingState, outcome: str) -> PostingResult:
    code = error.code if isinstance(error, Refused) else None
    return PostingResult(posting, posting.attempts + 1, state, outcome, str(error)[:2000], reason_code=code)
