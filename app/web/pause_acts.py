"""Let a paused target have its postings again."""

from __future__ import annotations

from app.audit.trail import record
from app.inbox.states import wake
from app.pipeline.outcome import target_reference
from app.postings.pauses import resume_target
from app.web.services import Services


def resume(here: Services, target: str, actor: str) -> int | None:
    """How many waiting messages are due again; None when the target was not paused."""
    now = here.clock()
    with here.store.writing() as session:
        if not resume_target(session, target):
            return None
        woken = wake(session, [target_reference(target)], now)
        record(session, actor, "target.resumed", f"target:{target}", {"woken": woken}, now)
    for plant in here.topology.plants:
        here.nudges.nudge(plant, 1)
    return woken
