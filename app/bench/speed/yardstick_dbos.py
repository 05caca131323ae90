"""The same three steps as a durable workflow of DBOS on PostgreSQL: ``python -m app.bench.speed.yardstick_dbos N``."""

from __future__ import annotations

import sys
from typing import Any

import urllib3
from dbos import DBOS, DBOSConfig

from config.settings import inherited_environment

_environment = inherited_environment({})
_http = urllib3.PoolManager(maxsize=32, retries=False, timeout=20.0)
_config: DBOSConfig = {"name": "yardstick", "system_database_url": _environment["YARDSTICK_DATABASE_URL"]}
DBOS(config=_config)


@DBOS.step()
def transform(number: int) -> dict[str, Any]:
    return {"id": f"move-{number}", "item": "WHEEL-001", "quantity": {"value": "4", "uom": "EA"}}


@DBOS.step()
def enrich(event: dict[str, Any]) -> dict[str, Any]:
    return {**event, "plant": "P100", "description": "Wheel"}


@DBOS.step()
def post(document: dict[str, Any]) -> None:
    url = _environment["YARDSTICK_ERP_URL"]
    answer = _http.request("POST", f"{url}/move", json=document, headers={"X-Posting-Key": document["id"]})
    if answer.status != 201:
        raise RuntimeError(f"The practice ERP answered {answer.status}.")


@DBOS.workflow()
def work(number: int) -> None:
    post(enrich(transform(number)))


if __name__ == "__main__":
    DBOS.launch()
    # By itself it looks for work once a second, which would be most of what is measured.
    queue = DBOS.register_queue("yardstick", worker_concurrency=32, polling_interval_sec=0.1)
    for handle in [queue.enqueue(work, place) for place in range(int(sys.argv[1]))]:
        handle.get_result()
    DBOS.destroy()
