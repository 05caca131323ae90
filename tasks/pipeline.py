"""The three links of a permit. What each does is in ``app/pipeline``; each claims its own work."""

from __future__ import annotations

from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.transform import transform_due
from config.queues import ENRICH, POST, TRANSFORM
from tasks.base import app, settings, workplace

# One post permit works lane after lane; a large batch gets more of them, so that lanes are worked side by side.
MESSAGES_PER_POST_PERMIT = 25
EXTRA_POST_PERMITS = 4
# A link takes along what other permits left behind: a message whose post came too early (an older one was still being
# transformed) would otherwise wait for the relay.
AT_LEAST = 25
# After its lease a transform's result counts for nothing, so one that hangs is ended then and its worker replaced.
TIME_LIMIT_SECONDS = settings.lease_seconds


@app.task(name=TRANSFORM, time_limit=TIME_LIMIT_SECONDS)
def transform(plant: str, up_to: int) -> None:
    here = workplace()
    done = transform_due(here.pipeline, plant, up_to)
    if len(done) >= here.settings.batch_size:  # a full batch: there is probably more
        here.dispatcher.send_permits(plant, "transform", here.settings.batch_size)


@app.task(name=ENRICH, time_limit=TIME_LIMIT_SECONDS)
def enrich(plant: str, up_to: int) -> None:
    here = workplace()
    done = enrich_due(here.pipeline, plant, max(up_to, AT_LEAST))
    for _ in range(min(EXTRA_POST_PERMITS, len(done) // MESSAGES_PER_POST_PERMIT)):
        here.dispatcher.send_permits(plant, "post", MESSAGES_PER_POST_PERMIT)


@app.task(name=POST)
def post(plant: str, up_to: int) -> None:
    post_due(workplace().pipeline, plant, max(up_to, AT_LEAST))
