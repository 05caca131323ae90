"""Where a process may be killed on purpose: places in the product by name, without a word of it in the product.

A point is a function of the product and whether the process dies before or after it. A guard test holds the table
against the product: a name that no longer leads anywhere fails there.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

Passes = Callable[[tuple[Any, ...], Any], bool]


@dataclass(frozen=True)
class Point:
    """``name`` begins with the process that passes there. ``only`` looks at the call's arguments and, after it, at what
    it returned: calls that come to nothing do not count."""

    name: str
    module: str
    attribute: str
    when: Literal["before", "after"]
    only: Passes = lambda arguments, result: True

    @property
    def process(self) -> str:
        return self.name.partition(".")[0]


def _has_results(arguments: tuple[Any, ...], _result: Any) -> bool:
    """``record_results`` with something to record."""
    return bool(arguments[1])


def _was_sent(_arguments: tuple[Any, ...], result: Any) -> bool:
    """``_ask_then_post`` that posted, rather than found it or did not begin."""
    return result is not None and result[1] == "posted"


def _holds_a_lane(_arguments: tuple[Any, ...], result: Any) -> bool:
    return result is not None


def _has_effects(arguments: tuple[Any, ...], _result: Any) -> bool:
    """``_enter_effects`` with something to enter."""
    return bool(arguments[1])


_DOOR, _TAKE, _ROWS = "app.inbox.door", "app.intake.take", "app.intake.rows_in"
_STRAIGHT_ON, _ENRICH = "app.pipeline.straight_on", "app.pipeline.enrich"
_POST, _CALLS, _RELAY = "app.pipeline.post", "app.pipeline.calls", "app.pipeline.relay"
_RECORDING, _PICTURE = "app.pipeline.recording", "app.projections.projector"

POINTS = (
    Point("web.before_the_commit", _DOOR, "Door._commit", "before"),
    Point("web.before_the_nudge", _DOOR, "Door._nudge", "before"),
    Point("web.before_the_answer", _DOOR, "Door.admit", "after"),
    Point("watch.after_the_move_to_working", "app.intake.watcher", "begin", "after"),
    Point("watch.within_the_store_of_rows", _ROWS, "record_rows", "after"),
    Point("watch.after_the_store_of_rows", _ROWS, "_store", "after"),
    Point("watch.before_the_move_to_archive", _TAKE, "_move_to_archive", "before"),
    Point("work.after_the_claim_for_transform", _STRAIGHT_ON, "_work_claimed", "before"),
    Point("work.before_the_save_of_transform", _STRAIGHT_ON, "save_transformed", "before"),
    Point("work.after_the_save_of_transform", _STRAIGHT_ON, "save_transformed", "after"),
    Point("work.between_transform_and_enrich", _STRAIGHT_ON, "_work_claimed", "after"),
    Point("work.after_the_claim_for_enrich", _ENRICH, "_enrich_claimed", "before"),
    Point("work.before_the_save_of_enrich", _ENRICH, "save_documents", "before"),
    Point("work.after_the_save_of_enrich", _ENRICH, "save_plans", "after"),
    Point("work.between_enrich_and_post", _ENRICH, "_enrich_claimed", "after"),
    Point("work.within_the_commit_of_the_picture", _PICTURE, "_enter_effects", "after", _has_effects),
    Point("post.after_the_lane_is_held", _POST, "hold_and_choose", "after", _holds_a_lane),
    Point("post.before_the_calls", _POST, "post_wave", "before"),
    Point("post.after_the_question", _CALLS, "_find", "after"),
    Point("post.after_one_call", _CALLS, "_ask_then_post", "after", _was_sent),
    Point("post.before_the_commit_of_answers", _POST, "post_wave", "after"),
    Point("post.within_the_commit_of_answers", _RECORDING, "record_results", "after", _has_results),
    Point("post.within_the_commit_of_the_end", _RECORDING, "take_effect", "after"),
    Point("post.after_the_commit_of_the_end", _POST, "_work", "after"),
    Point("relay.after_its_lease", _RELAY, "Relay._due", "before"),
    Point("relay.between_depths_and_permits", _RELAY, "Relay._permit", "before"),
    Point("relay.between_purge_and_fill_of_the_mirror", "kombu", "Queue.purge", "after"),
)


@dataclass(frozen=True)
class Switches:
    """Files that arm points. The process that renames one away is the one that dies, so each kills once."""

    folder: Path

    def arm(self, point: str) -> None:
        self._armed.mkdir(parents=True, exist_ok=True)
        (self._armed / point).touch()

    def disarm(self, point: str) -> bool:
        """Whether it was still armed: nobody had come by."""
        try:
            (self._armed / point).unlink()
        except FileNotFoundError:
            return False
        return True

    def is_armed(self, point: str) -> bool:
        return (self._armed / point).exists()

    def reached(self) -> set[str]:
        """The points that some process came by, killed or not."""
        return {path.name for path in self._reached.glob("*")}

    def come_by(self, point: str) -> None:
        """Die here where the point is armed."""
        self._reached.mkdir(parents=True, exist_ok=True)
        (self._reached / point).touch()
        try:
            (self._armed / point).rename(self.folder / f"{point}.killed")
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    @property
    def _armed(self) -> Path:
        return self.folder / "armed"

    @property
    def _reached(self) -> Path:
        return self.folder / "reached"


def resolve(point: Point) -> tuple[Any, str, Any]:
    """The module or class that holds the function, its name there, and the function itself; raises AttributeError."""
    *way, name = point.attribute.split(".")
    owner: Any = import_module(point.module)
    for step in way:
        owner = getattr(owner, step)
    return owner, name, getattr(owner, name)


def install(process: Callable[[], str], switches: Switches) -> None:
    """From now on every call of a point of this process, as it is called at that moment, comes by its switch."""
    for point in POINTS:
        owner, name, original = resolve(point)
        setattr(owner, name, _passing(point, original, process, switches))


def _passing(
    point: Point, original: Callable[..., Any], process: Callable[[], str], switches: Switches
) -> Callable[..., Any]:
    @functools.wraps(original)
    def passing(*arguments: Any, **named: Any) -> Any:
        if process() != point.process:
            return original(*arguments, **named)
        if point.when == "before" and point.only(arguments, None):
            switches.come_by(point.name)
        result = original(*arguments, **named)
        if point.when == "after" and point.only(arguments, result):
            switches.come_by(point.name)
        return result

    return passing
