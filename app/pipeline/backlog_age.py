"""How old each plant's backlog is, looked at once a minute: how old it was then is written down nowhere else."""

from __future__ import annotations

from app.inbox.claim import new_token
from app.inbox.figures import oldest_by_itself
from app.pipeline.context import Pipeline
from app.projections.measuring import Lasted, Tally, Yardstick
from app.projections.processes import Process
from app.store.leases import lease_is_free, take_lease

LOOK_LEASE = "backlog-age"
LOOK_EVERY_SECONDS = 60.0


def look_at_backlogs(pipeline: Pipeline) -> bool:
    """Measure the age of every plant's oldest unfinished message, 0 where there is none; False while it is too soon.
    The turn and what it measured are one transaction, so a minute counts once."""
    now = pipeline.clock()
    with pipeline.store.reading() as session:
        if not lease_is_free(session, LOOK_LEASE, now, LOOK_EVERY_SECONDS):
            return False
        oldest = {plant: oldest_by_itself(session, plant) for plant in pipeline.topology.plants}
    tally = Tally(Yardstick.of(pipeline.topology))
    for plant, since in oldest.items():
        age = 0.0 if since is None else (now - since).total_seconds()
        tally.lasted(plant, now, Process.ALL, Lasted.BACKLOG_AGE, age)
    with pipeline.store.writing() as session:
        if not take_lease(session, LOOK_LEASE, new_token(), now, LOOK_EVERY_SECONDS):
            return False
        tally.write(session)
    return True
