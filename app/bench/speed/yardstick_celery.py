"""Three trivial Celery tasks in a chain, the third of which posts to the practice ERP over a connection that it keeps.

The worker is ``celery --app app.bench.speed.yardstick_celery worker``; ``python -m app.bench.speed.yardstick_celery N``
publishes N chains.
"""

from __future__ import annotations

import sys
from typing import Any

import urllib3
from celery import Celery, chain

from config.settings import inherited_environment

_environment = inherited_environment({})
app: Celery[Any] = Celery("yardstick", broker=_environment.get("YARDSTICK_BROKER_URL"))
app.conf.update(
    task_ignore_result=True,
    task_default_queue="yardstick",
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
)
_http = urllib3.PoolManager(maxsize=16, retries=False, timeout=20.0)


@app.task(name="yardstick.transform")
def transform(number: int) -> dict[str, Any]:
    return {"id": f"move-{number}", "item": "WHEEL-001", "quantity": {"value": "4", "uom": "EA"}}


@app.task(name="yardstick.enrich")
def enrich(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "plant": "P100", "description": "Wheel"}


@app.task(name="yardstick.post")
def post(document: dict[str, Any]) -> None:
    url = _environment["YARDSTICK_ERP_URL"]
    answer = _http.request("POST", f"{url}/move", json=document, headers={"X-Posting-Key": document["id"]})
    if answer.status != 201:
        raise RuntimeError(f"The practice ERP answered {answer.status}.")


if __name__ == "__main__":
    for place in range(int(sys.argv[1])):
        chain(transform.s(place), enrich.s(), post.s()).apply_async()
