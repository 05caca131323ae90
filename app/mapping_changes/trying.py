"""Run a mapping that may be half written: whatever goes wrong with it is told, and breaks nothing else."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, NoReturn, TypeVar

import structlog

from app.errors import LinesideError, Refused
from app.pipeline.outcome import Done, InternalFault, attempt

T = TypeVar("T")

WAITING = "waiting"
"""The code where nothing is wrong with the message, and what it needs is not there: a crosswalk's entry."""


@dataclass(frozen=True)
class Fault:
    """Why something is no message, or cannot be mapped: a stable word, a sentence with the mend, the place."""

    code: str
    reason: str
    field: str | None = None


def tried(work: Callable[[], T]) -> T | LinesideError:
    """What the work gives, or the error that the pipeline would make a move of."""
    outcome = attempt(0, work)
    return outcome.value if isinstance(outcome, Done) else outcome.error


def fault_of(error: LinesideError) -> Fault:
    """A fault of the mapping's own code (``internal_error``) with the line that it struck at."""
    if isinstance(error, InternalFault) and error.__cause__ is not None:
        cause = error.__cause__
        last = traceback.extract_tb(cause.__traceback__)[-1]
        where = f"{PurePath(last.filename).name} line {last.lineno}, in {last.name}"
        return Fault(error.code, f"The code failed: {type(cause).__name__}: {cause} ({where}). Mend it there.", None)
    if isinstance(error, Refused):
        return Fault(error.code, error.reason, error.field)
    return Fault(WAITING, str(error))


@contextmanager
def quiet_logs() -> Iterator[None]:
    """What a step logs of a message's end is no news here, and standard output belongs to the answer."""
    before: dict[str, Any] = structlog.get_config()
    structlog.configure(**{**before, "processors": [_drop]})
    try:
        yield
    finally:
        structlog.configure(**before)


def _drop(_logger: Any, _method: str, _event: Any) -> NoReturn:
    raise structlog.DropEvent
