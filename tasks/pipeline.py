"""The three links of a permit. What each does is in ``app/pipeline``; each claims its own work, and takes along what
other permits left behind (``TAKEN_ALONG``): a message whose post came too early, as an older one was still being
transformed, would otherwise wait for the relay, and so would one for which no permit was sent because one lay there.
"""

from __future__ import annotations

from typing import Any

from app.dispatch import TAKEN_ALONG
from app.pipeline.enrich import enrich_due
from app.pipeline.post import post_due
from app.pipeline.straight_on import StraightOn, transform_straight_on
from config.queues import ENRICH, POST, TRANSFORM
from tasks.base import app, settings, workplace

# One post permit works lane after lane; a large batch gets more of them, so that lanes are worked side by side.
MESSAGES_PER_POST_PERMIT = 25
EXTRA_POST_PERMITS = 4
# After its lease a transform's result counts for nothing, so one that hangs is ended then and its worker replaced.
TIME_LIMIT_SECONDS = settings.lease_seconds


# Of permits no events are sent, of which there would be three a link: Flower's page of queues needs none, and they took
# a third of a worker's main loop.
@app.task(name=TRANSFORM, bind=True, send_events=False, time_limit=TIME_LIMIT_SECONDS)
def transform(self: Any, plant: str, up_to: int) -> None:
    """Most messages go straight on, past what the next link is for; then the permit passes that link too. Where other
    permits have taken what this one was for, they bring it on, and this one ends here."""
    done = _transform(plant, max(up_to, TAKEN_ALONG))
    links: list[Any] = self.request.chain or []  # the next one is the last, as Celery keeps it (5.7, app/trace.py)
    if not done.claimed:
        links.clear()
    elif not done.left:
        links[:] = [link for link in links if link["task"] != ENRICH]
        _share_out(plant, len(done.ids))


@app.task(name=ENRICH, send_events=False, time_limit=TIME_LIMIT_SECONDS)
def enrich(plant: str, up_to: int) -> None:
    """Such a permit lies on the same queue as the first link's, and was counted for one where it lay there."""
    here = workplace()
    done = enrich_due(here.pipeline, plant, max(up_to, TAKEN_ALONG))
    since = _transform(plant, TAKEN_ALONG)
    if since.left:
        here.dispatcher.send_permits(plant, "enrich", since.left)
    _share_out(plant, len(done) + len(since.enriched))


def _transform(plant: str, up_to: int) -> StraightOn:
    here = workplace()
    done = transform_straight_on(here.pipeline, plant, up_to)
    if done.claimed >= up_to:  # a full batch: there is probably more
        here.dispatcher.send_permits(plant, "transform", up_to)
    return done


def _share_out(plant: str, enriched: int) -> None:
    """The lanes of a large batch are worked side by side, beside the one that this permit goes on to."""
    for _ in range(min(EXTRA_POST_PERMITS, enriched // MESSAGES_PER_POST_PERMIT)):
        workplace().dispatcher.send_permits(plant, "post", MESSAGES_PER_POST_PERMIT)


@app.task(name=POST, send_events=False)
def post(plant: str, up_to: int) -> None:
    post_due(workplace().pipeline, plant, max(up_to, TAKEN_ALONG))
