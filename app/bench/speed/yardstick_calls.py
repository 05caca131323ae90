"""Nothing but the calls: what Python's HTTP client reaches here, each document over a connection that is kept, with no
queue, no database and no check. No pipeline in Python that makes one call a message can be faster.

``python -m app.bench.speed.yardstick_calls PROCESSES N`` makes N calls in all.
"""

from __future__ import annotations

import os
import sys

import urllib3

from config.settings import inherited_environment


def call(numbers: range) -> None:
    url = inherited_environment({})["YARDSTICK_ERP_URL"]
    http = urllib3.PoolManager(maxsize=1, retries=False, timeout=20.0)
    for number in numbers:
        key = f"move-{number}"
        document = {"id": key, "item": "WHEEL-001", "quantity": {"value": "4", "uom": "EA"}}
        answer = http.request("POST", f"{url}/move", json=document, headers={"X-Posting-Key": key})
        if answer.status != 201:
            raise RuntimeError(f"The practice ERP answered {answer.status}.")


if __name__ == "__main__":
    processes, wanted = int(sys.argv[1]), int(sys.argv[2])
    children = []
    for place in range(processes):
        child = os.fork()
        if not child:
            call(range(place, wanted, processes))
            os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
