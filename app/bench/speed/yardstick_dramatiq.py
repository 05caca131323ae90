"""The same three steps as dramatiq actors in a pipeline.

The worker is ``dramatiq app.bench.speed.yardstick_dramatiq``; ``python -m app.bench.speed.yardstick_dramatiq N``
publishes N pipelines.
"""

from __future__ import annotations

import sys
from typing import Any

import dramatiq
import urllib3

from config.settings import inherited_environment

_environment = inherited_environment({})


def _broker() -> Any:
    url = _environment["YARDSTICK_BROKER_URL"]
    if url.startswith("amqp"):
        from dramatiq.brokers.rabbitmq import RabbitmqBroker

        return RabbitmqBroker(url=url)
    from dramatiq.brokers.redis import RedisBroker

    make: Any = RedisBroker
    return make(url=url.replace("redis+socket://", "unix://"))


dramatiq.set_broker(_broker())
_http = urllib3.PoolManager(maxsize=16, retries=False, timeout=20.0)


@dramatiq.actor
def transform(number: int) -> dict[str, Any]:
    return {"id": f"move-{number}", "item": "WHEEL-001", "quantity": {"value": "4", "uom": "EA"}}


@dramatiq.actor
def enrich(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "plant": "P100", "description": "Wheel"}


@dramatiq.actor
def post(document: dict[str, Any]) -> None:
    url = _environment["YARDSTICK_ERP_URL"]
    answer = _http.request("POST", f"{url}/move", json=document, headers={"X-Posting-Key": document["id"]})
    if answer.status != 201:
        raise RuntimeError(f"The practice ERP answered {answer.status}.")


# A message of each takes what the one before it gave, which their signatures do not know.
_following: list[Any] = [enrich, post]

if __name__ == "__main__":
    for place in range(int(sys.argv[1])):
        first, enriching, posting = transform.message(place), *(a.message() for a in _following)
        pipeline: Any = dramatiq.pipeline([first, enriching, posting])
        pipeline.run()
