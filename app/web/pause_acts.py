"""Pause and resume plants and targets, in the name of a person; what was done stands in the trail."""

from __future__ import annotations

from datetime import datetime

from app.audit.trail import record
from app.inbox.wakes import wake
from app.pipeline.outcome import target_reference
from app.postings.pauses import pause_plant, pause_target, resume_plant, resume_target
from app.postings.room import try_at_once
from app.store.session import Store
from app.web.services import Services


def stop_plant(store: Store, plant: str, reason: str, actor: str, now: datetime) -> bool:
    """Its messages are taken and not worked on, from the next step on; False when it is paused already."""
    with store.writing() as session:
        if not pause_plant(session, plant, reason, now, actor):
            return False
        record(session, actor, "plant.paused", f"plant:{plant}", {"reason": reason}, now)
    return True


def start_plant(store: Store, plant: str, actor: str, now: datetime) -> bool:
    """Whatever is due goes on within a second; False when it was not paused."""
    with store.writing() as session:
        if not resume_plant(session, plant):
            return False
        record(session, actor, "plant.resumed", f"plant:{plant}", None, now)
    return True


def stop_target(store: Store, target: str, reason: str, actor: str, now: datetime) -> bool:
    """Nothing is posted to it from the next calls on; False when it is paused already."""
    with store.writing() as session:
        if not pause_target(session, target, reason, now, actor):
            return False
        record(session, actor, "target.paused", f"target:{target}", {"reason": reason}, now)
    return True


def start_target(store: Store, target: str, actor: str, now: datetime) -> int | None:
    """How many waiting messages are due again; None when the target was neither paused nor left alone.

    One that is left alone is tried with one posting at once, and the others follow when it answers.
    """
    with store.writing() as session:
        was_paused = resume_target(session, target)
        woken = wake(session, [target_reference(target)], now) if was_paused else 0
        was_alone = try_at_once(session, target, now)
        if not was_paused and not was_alone:
            return None
        record(session, actor, "target.resumed", f"target:{target}", {"woken": woken}, now)
    return woken


def go_on(here: Services, *plants: str) -> None:
    """Have somebody look at these plants now, or at all."""
    for plant in plants or here.topology.plants:
        here.nudges.nudge(plant, 1)
